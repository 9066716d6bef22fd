// What the ledger remembers, in a form that outlives the process.

#include "exporter/base/archive.h"
#include "exporter/ledger/ledger.h"

namespace sched_exporter {
namespace {

/// A task as it is kept: with its process's key in the place of an address.
struct KeptTask {
  using Plain = void;
  TaskKey key = 0;
  std::uint64_t start_ns = 0;
  Figures last;
  std::uint64_t cgroup_id = 0;
  ProcessKey process;
  std::uint32_t living_sweep = 0;
  std::uint32_t seen_sweep = 0;
  std::uint32_t moved_sweep = 0;
  std::uint32_t in_debt = 0;
};

}  // namespace

template <typename Archive>
void Ledger::ArchiveTotals(Archive& archive) {
  archive(processes_view_, groups_, cgroups_, removed_cgroups_, gone_, cgroup_members_, lost_,
          floors_);
  archive(now_ns_, former_ns_, unattributed_ns_, lost_execs_, exec_failures_, cpus_,
          seed_boottime_ns_, sweep_, living_, seeded_);
}

void Ledger::SaveTasks(SavingArchive& archive) {
  std::vector<KeptTask> kept;
  kept.reserve(tasks_.size());
  tasks_.ForEach([&](TaskKey key, const Task& task) {
    kept.push_back({key, task.start_ns, task.last, task.cgroup_id, task.process->key,
                    task.living_sweep, task.seen_sweep, task.moved_sweep, task.in_debt ? 1U : 0U});
  });
  ArchivePlain(archive, kept);
}

void Ledger::LoadTasks(LoadingArchive& archive) {
  std::vector<KeptTask> kept;
  ArchivePlain(archive, kept);
  for (const KeptTask& task : kept) {
    Process& process = processes_.at(task.process);
    ++process.tasks;
    tasks_[task.key] = {task.start_ns,     task.last,       task.cgroup_id,   &process,
                        task.living_sweep, task.seen_sweep, task.moved_sweep, task.in_debt != 0};
  }
}

void Ledger::Save(SavingArchive& archive) {
  ArchiveTotals(archive);
  archive(cereal::make_size_tag(static_cast<cereal::size_type>(processes_.size())));
  for (auto& [key, process] : processes_) {
    const auto youngest = by_pid_.find(key.tgid);
    const bool is_youngest = youngest != by_pid_.end() && youngest->second == &process;
    archive(process, is_youngest);
  }
  SaveTasks(archive);
}

void Ledger::Load(LoadingArchive& archive) {
  ArchiveTotals(archive);
  cereal::size_type size = 0;
  archive(cereal::make_size_tag(size));
  for (; size > 0; --size) {
    Process read;
    bool is_youngest = false;
    archive(read, is_youngest);
    Process& process = processes_[read.key];
    process = read;
    if (is_youngest) {
      by_pid_[read.key.tgid] = &process;
    }
  }
  LoadTasks(archive);
  last_cgroup_ = nullptr;
}

}  // namespace sched_exporter
