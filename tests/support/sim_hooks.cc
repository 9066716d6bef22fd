// The hooks of bpf/sched.bpf.c, and the sweep of exporter/kernel/source.cc, as the simulated kernel
// has them.

#include <algorithm>

#include "tests/support/sim_kernel.h"

namespace sched_exporter::test_support {
namespace {

constexpr std::uint32_t kSweepsToDieIn = 8;

}  // namespace

TaskIdentity SimKernel::IdentityOf(const Task& task) const {
  TaskIdentity identity;
  identity.start_ns = task.start_ns;
  identity.leader_start_ns = task.process->leader->start_ns;
  identity.cgroup_id = task.cgroup;
  identity.pid = task.pid;
  identity.tgid = task.process->tgid;
  identity.ppid = task.process->parent->tgid;
  identity.comm = task.process->comm;
  return identity;
}

std::uint64_t SimKernel::ParentCgroup(const Task& task) const {
  const Process& parent = *task.process->parent;
  return &parent == task.process ? kFirstCgroup : parent.leader->cgroup;  // init's is the idle task
}

bool SimKernel::IsCurrent(const Entry& entry, const Task& task) const {
  return entry.identity.start_ns == task.start_ns && entry.identity.cgroup_id == task.cgroup;
}

bool SimKernel::SaysItAll(const Entry& entry, const Task& task) const {
  return entry.sweep != sweep_ && IsCurrent(entry, task) && !task.on_cpu &&
         entry.figures.run_ns == task.figures.run_ns &&
         entry.figures.wait_ns == task.figures.wait_ns &&
         entry.figures.migrations == task.figures.migrations &&
         entry.identity.ppid == task.process->parent->tgid &&
         entry.identity.comm == task.process->comm;
}

void SimKernel::Switch(Cpu& cpu, Task* next, bool last) {
  if (Task* prev = cpu.current; prev != nullptr) {
    ++(Chance(0.5) ? prev->figures.voluntary_switches : prev->figures.involuntary_switches);
    cpu.busy_ns += prev->figures.run_ns - cpu.incoming_run_ns;
    const bool dead = prev->exiting && (last || !options_.dying_windows || Chance(0.4));
    prev->on_cpu = false;
    OnSwitch(*prev, dead);
    if (dead) {
      Retire(*prev);
    }
  }
  cpu.current = next;
  cpu.incoming = next == nullptr ? 0 : next->key;
  if (next != nullptr) {
    next->on_cpu = true;
    next->figures.wait_ns += Random(100'000);
    ++next->figures.timeslices;
    next->figures.migrations += Random(2);
    cpu.incoming_run_ns = next->figures.run_ns;
  }
}

/// After the last switch. The memory of a thread may be used again at once, a leader's when its
/// process has been reaped.
void SimKernel::Retire(Task& task) {
  Process& process = *task.process;
  task.dead = true;
  std::erase(process.threads, &task);
  if (process.leader != &task) {
    free_keys_.push_back(task.key);
  }
  const auto mine =
      std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& t) { return t.get() == &task; });
  process.dead_threads.push_back(std::move(*mine));
  tasks_.erase(mine);
}

void SimKernel::OnSwitch(Task& prev, bool dead) {
  const auto entry = hash_.find(prev.key);
  const bool known = entry != hash_.end();
  if (known && IsCurrent(entry->second, prev) && !dead) {
    entry->second.figures = prev.figures;
    return;
  }
  if (known && entry->second.identity.start_ns == prev.start_ns) {
    SendMove(prev, entry->second.identity.cgroup_id, false, entry->second.figures);
  }
  if (!dead) {
    hash_[prev.key] = {IdentityOf(prev), prev.figures, sweep_};
    return;
  }
  TaskEvent event;
  event.reading = {prev.key, IdentityOf(prev), prev.figures};
  if (!SendEvent(event)) {
    KeepInSums(event.reading.identity, prev.figures);
  }
  hash_.erase(prev.key);
}

void SimKernel::OnMove(Task& task) {
  const auto entry = hash_.find(task.key);
  if (entry != hash_.end() && entry->second.identity.start_ns == task.start_ns) {
    SendMove(task, entry->second.identity.cgroup_id, false, task.figures);
    entry->second.identity.cgroup_id = task.cgroup;
    return;
  }
  SendMove(task, ParentCgroup(task), true, task.figures);
  hash_[task.key] = {IdentityOf(task), task.figures, sweep_};
}

void SimKernel::SendMove(Task& task, std::uint64_t from, bool guess, const Figures& figures) {
  if (from == task.cgroup) {
    return;
  }
  TaskEvent event;
  event.kind = TaskEvent::Kind::kMoved;
  event.origin.cgroup_id = from;
  event.origin.is_guess = guess;
  event.reading = {task.key, IdentityOf(task), figures};
  if (SendEvent(event)) {
    task.reported_cgroup = task.cgroup;
  } else {
    ++lost_moves_;
  }
}

bool SimKernel::SendEvent(const TaskEvent& event) {
  // Before the first sweep there is room for all.
  if (seed_ns_ != 0 && ring_.size() >= options_.event_capacity) {
    return false;
  }
  ring_.push_back(event);
  return true;
}

void SimKernel::KeepInSums(const TaskIdentity& identity, const Figures& figures) {
  ++lost_finals_;
  Sums& sums = sums_[active_sums_];
  const auto key = std::make_pair(identity.cgroup_id, identity.comm);
  const bool room = sums.contains(key) || sums.size() < options_.sums_capacity;
  LostSum& sum = room ? sums[key] : unattributed_;
  sum.figures += figures;
  ++sum.tasks;
}

void SimKernel::Drain() {
  drained_.insert(drained_.end(), ring_.begin(), ring_.end());
  ring_.clear();
}

void SimKernel::Interrupt() {
  if (options_.interrupted_sweeps && seed_ns_ != 0 && !quiet_ && Chance(0.3)) {
    Run(static_cast<int>(Random(4)));
  }
}

Snapshot SimKernel::Sweep() {
  for (const auto& task : tasks_) {
    if (task->exiting && sweep_ - task->exit_sweep > kSweepsToDieIn) {
      FinishDying();
      break;
    }
  }
  Snapshot snapshot;
  snapshot.sweep = ++sweep_;
  snapshot.boottime_ns = now_ns_;
  in_sweep_ = true;
  WalkTasks(snapshot);
  IterateTasks(snapshot);
  ReadCpus(snapshot);
  Interrupt();
  Drain();
  snapshot.events.swap(drained_);
  Interrupt();
  TakeSums(snapshot);
  if (seed_ns_ == 0) {
    seed_ns_ = now_ns_;
    books_ = {};
  }
  NoteReported(snapshot);
  in_sweep_ = false;
  return snapshot;
}

void SimKernel::WalkTasks(Snapshot& snapshot) {
  std::vector<TaskKey> keys;
  for (const auto& [key, entry] : hash_) {
    keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  std::shuffle(keys.begin(), keys.end(), random_);
  for (const TaskKey key : keys) {
    Interrupt();
    const auto entry = hash_.find(key);
    const bool torn = options_.torn && seed_ns_ != 0 && Chance(0.05);
    if (entry != hash_.end() && (!torn || entry->second.pinned)) {
      snapshot.switched.push_back({key, entry->second.identity, entry->second.figures});
    }
  }
}

void SimKernel::IterateTasks(Snapshot& snapshot) {
  for (auto next = listed_.begin(); next != listed_.end();) {
    const std::uint32_t pid = next->first;
    Task& task = *next->second;
    if (!task.dead) {
      const auto entry = hash_.find(task.key);
      if (entry != hash_.end() && SaysItAll(entry->second, task)) {
        snapshot.living_keys.push_back(task.key);
      } else {
        const TaskIdentity identity = IdentityOf(task);
        snapshot.living.push_back({task.key, identity, task.figures});
        if (entry != hash_.end() && IsCurrent(entry->second, task)) {
          entry->second.identity = identity;
        }
      }
    }
    Interrupt();
    next = listed_.upper_bound(pid);
  }
}

void SimKernel::NoteReported(const Snapshot& snapshot) {
  std::unordered_map<TaskKey, TaskIdentity> told;
  for (const auto* readings : {&snapshot.switched, &snapshot.living}) {
    for (const TaskReading& reading : *readings) {
      told[reading.key] = reading.identity;
    }
  }
  for (const auto& task : tasks_) {
    const auto identity = told.find(task->key);
    if (identity != told.end() && identity->second.start_ns == task->start_ns) {
      task->reported_cgroup = identity->second.cgroup_id;
    }
  }
}

void SimKernel::ReadCpus(Snapshot& snapshot) {
  for (std::uint32_t i = 0; i < cpus_.size(); ++i) {
    Interrupt();
    const Cpu& cpu = cpus_[i];
    snapshot.cpus.push_back({i, cpu.incoming, cpu.incoming_run_ns, cpu.busy_ns, 0});
  }
  snapshot.unattributed = unattributed_;
  snapshot.lost_finals = lost_finals_;
}

void SimKernel::TakeSums(Snapshot& snapshot) {
  if (!quiet_ && Chance(0.3)) {
    return;  // the last exchange was less than a second ago
  }
  Sums& resting = sums_[1 - active_sums_];
  for (const auto& [key, sum] : resting) {
    snapshot.lost_sums.push_back(sum);
    snapshot.lost_sums.back().cgroup_id = key.first;
    snapshot.lost_sums.back().comm = key.second;
  }
  resting.clear();
  active_sums_ = 1 - active_sums_;
}

}  // namespace sched_exporter::test_support
