#include "exporter/ledger/ledger.h"

#include <algorithm>

namespace sched_exporter {
namespace {

/// A task that nobody has met for so many sweeps, and that no event told finished, is forgotten.
/// Its event may come late (a dying task leaves the task list before its last switch), but not that
/// late.
constexpr std::uint32_t kForgetAfterSweeps = 100;

/// A task that the seed didn't meet either had not run yet, or was past the task list on its way
/// out. The former was born no longer than this before the seed.
constexpr std::uint64_t kForkTakesAtMostNs = 1'000'000'000;

}  // namespace

Ledger::Ledger(const LedgerLimits& limits, Naming& naming)
    : naming_(naming),
      processes_view_(limits.processes, 0),
      groups_{View(limits.groups, limits.dead_series_ns), {}, {}},
      cgroups_{View(limits.cgroups, limits.dead_series_ns), {}, {}},
      limits_(limits) {}

void Ledger::set_limits(const LedgerLimits& limits) {
  limits_ = limits;
  processes_view_.set_limits(limits.processes, 0);
  groups_.view.set_limits(limits.groups, limits.dead_series_ns);
  cgroups_.view.set_limits(limits.cgroups, limits.dead_series_ns);
}

void Ledger::Apply(const Snapshot& snapshot) {
  sweep_ = snapshot.sweep;
  now_ns_ = snapshot.boottime_ns;
  finished_.clear();
  if (!seeded_) {
    Seed(snapshot);
  }
  // Events first: what they tell happened before the readings, or makes the readings stale.
  for (const TaskEvent& event : snapshot.events) {
    ApplyEvent(event);
  }
  // Then what the iterator tells in full: its names are those of this moment, while an entry of the
  // hash has new figures under the name that the task had when the entry was made.
  for (const TaskReading& reading : snapshot.living) {
    ApplyReading(reading, true);
  }
  for (const TaskReading& reading : snapshot.switched) {
    ApplyReading(reading, false);
  }
  for (const TaskKey key : snapshot.living_keys) {
    ApplyLivingKey(key);
  }
  lost_.Take(snapshot);
  RetireLost();
  CreditLost();
  UpdateCpus(snapshot);
  CountPopulations();
  std::vector<View::Id> removed;
  processes_view_.Settle(snapshot.boottime_ns, removed);
  groups_.Settle(snapshot.boottime_ns);
  cgroups_.Settle(snapshot.boottime_ns);
  // Ids are the kernel's and never come back; their names stay as long as the view keeps them.
  std::erase_if(cgroup_members_,
                [&](const auto& entry) { return entry.second.used_sweep != sweep_; });
  seeded_ = true;
}

void Ledger::Seed(const Snapshot& snapshot) {
  seed_boottime_ns_ = snapshot.boottime_ns;
  lost_.Seed(snapshot);
}

bool Ledger::IsStale(const TaskReading& reading, const Task& task) const {
  const bool same_process = reading.identity.tgid == task.process->key.tgid;
  if (reading.identity.start_ns < task.start_ns) {
    // Only exec takes a task's start time back: to its leader's, whose place it takes.
    return !same_process;
  }
  // The entry of a thread that has called exec since it was written: the leader of a process can't
  // become a mere thread of it.
  return reading.identity.start_ns > task.start_ns && same_process && task.is_leader &&
         reading.identity.pid != reading.identity.tgid &&
         reading.figures.run_ns <= task.last.run_ns;
}

bool Ledger::FinishedSince(const TaskReading& reading) const {
  const auto finished = finished_.find(reading.key);
  return finished != finished_.end() && reading.identity.start_ns <= finished->second;
}

Ledger::Task& Ledger::Remember(const TaskReading& reading) {
  const auto [entry, added] = tasks_.try_emplace(reading.key);
  Task& task = entry->second;
  if (!added && reading.identity.start_ns > task.start_ns) {
    // The address has a new owner, and nobody told the end of the former one.
    Retire(task);
    task = Task{};
  }
  if (task.process == nullptr) {
    const bool born_since =
        seeded_ && reading.identity.start_ns + kForkTakesAtMostNs >= seed_boottime_ns_;
    task.last = born_since ? Figures{} : reading.figures;
    task.cgroup_id = reading.identity.cgroup_id;
  }
  Process& process = FindProcess(reading.identity);
  if (task.process != &process) {
    if (task.process != nullptr) {
      --task.process->tasks;
    }
    task.process = &process;
    ++process.tasks;
  }
  task.start_ns = reading.identity.start_ns;
  task.is_leader = reading.identity.pid == reading.identity.tgid;
  return task;
}

void Ledger::Credit(Task& task, const TaskReading& reading, std::uint64_t cgroup_id) {
  const Delta delta = Difference(reading.figures, task.last);
  task.last = Larger(task.last, reading.figures);
  if (delta.run_ns == 0 && delta.wait_ns == 0 && delta.timeslices == 0 && delta.migrations == 0 &&
      delta.voluntary_switches == 0 && delta.involuntary_switches == 0) {
    return;
  }
  const Process& process = *task.process;
  processes_view_.Credit(process.member, delta);
  groups_.view.Credit(
      reading.identity.comm == process.comm ? process.group : GroupId(reading.identity), delta);
  cgroups_.view.Credit(CgroupMember(cgroup_id), delta);
}

void Ledger::ApplyEvent(const TaskEvent& event) {
  const TaskReading& reading = event.reading;
  const auto known = tasks_.find(reading.key);
  if (known != tasks_.end() && IsStale(reading, known->second)) {
    return;
  }
  const bool is_new =
      known == tasks_.end() || reading.identity.start_ns > known->second.start_ns;
  if (event.kind == TaskEvent::Kind::kMoved) {
    Task& task = Remember(reading);
    const bool use_known = !is_new && event.from_is_guess;
    Credit(task, reading, use_known ? task.cgroup_id : event.from_cgroup_id);
    task.cgroup_id = reading.identity.cgroup_id;
    task.seen_sweep = sweep_;
    return;
  }
  Credit(Remember(reading), reading, reading.identity.cgroup_id);
  finished_[reading.key] = reading.identity.start_ns;
  Forget(reading.key);
}

void Ledger::ApplyReading(const TaskReading& reading, bool living) {
  if (FinishedSince(reading)) {
    return;
  }
  const auto known = tasks_.find(reading.key);
  if (known != tasks_.end() && IsStale(reading, known->second)) {
    return;
  }
  if (!living && known != tasks_.end() && known->second.living_sweep == sweep_) {
    return;  // the iterator knew better
  }
  Task& task = Remember(reading);
  task.seen_sweep = sweep_;
  if (living) {
    task.living_sweep = sweep_;
  }
  if (reading.figures.run_ns < task.last.run_ns) {
    return;  // older than an event of this sweep
  }
  Credit(task, reading, reading.identity.cgroup_id);
  task.cgroup_id = reading.identity.cgroup_id;
  UpdateProcess(*task.process, reading.identity);
}

void Ledger::ApplyLivingKey(TaskKey key) {
  if (const auto task = tasks_.find(key); task != tasks_.end()) {
    task->second.living_sweep = sweep_;
    task->second.seen_sweep = sweep_;
  }
}

void Ledger::Forget(TaskKey key) {
  const auto task = tasks_.find(key);
  --task->second.process->tasks;
  tasks_.erase(task);
}

void Ledger::Retire(const Task& task) {
  if (lost_.Expecting()) {
    lost_.AddDebt(task.cgroup_id, task.process->comm, task.last);
  }
  --task.process->tasks;
}

void Ledger::RetireLost() {
  const bool expecting = lost_.Expecting();
  for (auto entry = tasks_.begin(); entry != tasks_.end();) {
    const Task& task = entry->second;
    const std::uint32_t missing = sweep_ - task.seen_sweep;
    if (missing == 0 || (!expecting && missing < kForgetAfterSweeps)) {
      ++entry;
      continue;
    }
    Retire(task);
    entry = tasks_.erase(entry);
  }
}

void Ledger::CreditLost() {
  for (const LostFinals::Addition& addition : lost_.TakeAdditions()) {
    TaskIdentity identity;
    identity.comm = addition.comm;
    processes_view_.CreditOther(addition.delta);
    groups_.view.Credit(GroupId(identity), addition.delta);
    cgroups_.view.Credit(CgroupMember(addition.cgroup_id), addition.delta);
  }
  unattributed_ns_ += lost_.TakeUnattributed().run_ns;
}

Ledger::Process& Ledger::FindProcess(const TaskIdentity& identity) {
  const ProcessKey key{identity.tgid, identity.leader_start_ns};
  const auto [entry, added] = processes_.try_emplace(key);
  Process& process = entry->second;
  if (added) {
    process.key = key;
    process.comm = identity.comm;
    process.kernel_thread = identity.kernel_thread;
    process.ppid = identity.ppid;
    process.uid = identity.uid;
    process.cgroup_id = identity.cgroup_id;
    process.group = GroupId(identity);
    process.member = processes_view_.Add();
  }
  return process;
}

void Ledger::UpdateProcess(Process& process, const TaskIdentity& identity) {
  if (process.comm != identity.comm) {
    floors_.Leave(process.key.tgid, process.comm, ShownTotals(process), now_ns_);
    process.comm = identity.comm;
    process.group = GroupId(identity);
    process.new_labels = true;
  }
  process.ppid = identity.ppid;
  if (identity.pid == identity.tgid) {
    process.uid = identity.uid;
    process.cgroup_id = identity.cgroup_id;
  }
}

View::Id Ledger::GroupId(const TaskIdentity& identity) {
  return groups_.Find(naming_.GroupOf(identity));
}

View::Id Ledger::CgroupMember(std::uint64_t cgroup_id) {
  const auto [entry, added] = cgroup_members_.try_emplace(cgroup_id);
  if (added) {
    entry->second.id = cgroups_.Find(naming_.CgroupPath(cgroup_id));
  }
  entry->second.used_sweep = sweep_;
  return entry->second.id;
}

void Ledger::CountPopulations() {
  processes_view_.ClearPopulations();
  groups_.view.ClearPopulations();
  cgroups_.view.ClearPopulations();
  living_ = 0;
  for (const auto& [key, task] : tasks_) {
    if (task.living_sweep == sweep_) {
      ++living_;
      ++processes_view_.population(task.process->member).threads;
      ++cgroups_.view.population(CgroupMember(task.cgroup_id)).threads;
    }
    cgroups_.view.Hold(CgroupMember(task.cgroup_id));
  }
  RemoveEndedProcesses();
  for (auto& [key, process] : processes_) {
    if (process.new_labels) {
      process.new_labels = false;
      process.offset = floors_.Offset(key.tgid, process.comm,
                                      processes_view_.member(process.member).totals);
    }
    CountProcess(process);
  }
}

Totals Ledger::ShownTotals(const Process& process) const {
  return processes_view_.member(process.member).totals + process.offset;
}

void Ledger::RemoveEndedProcesses() {
  std::erase_if(processes_, [&](const auto& entry) {
    const Process& process = entry.second;
    if (process.tasks > 0) {
      return false;
    }
    if (processes_view_.member(process.member).shown) {
      floors_.Leave(process.key.tgid, process.comm, ShownTotals(process), now_ns_);
    }
    return true;
  });
  floors_.Prune(now_ns_, limits_.dead_series_ns, limits_.processes);
}

void Ledger::CountProcess(const Process& process) {
  const View::Id cgroup = CgroupMember(process.cgroup_id);
  processes_view_.Hold(process.member);
  groups_.view.Hold(process.group);
  cgroups_.view.Hold(cgroup);
  Population& own = processes_view_.population(process.member);
  if (own.threads == 0) {
    return;
  }
  own.processes = 1;
  own.oldest_start_ns = process.key.leader_start_ns;
  groups_.view.population(process.group).threads += own.threads;
  for (Population* sum :
       {&groups_.view.population(process.group), &cgroups_.view.population(cgroup)}) {
    ++sum->processes;
    if (sum->oldest_start_ns == 0 || own.oldest_start_ns < sum->oldest_start_ns) {
      sum->oldest_start_ns = own.oldest_start_ns;
    }
  }
}

void Ledger::UpdateCpus(const Snapshot& snapshot) {
  cpus_.resize(std::max(cpus_.size(), snapshot.cpus.size()));
  for (const CpuReading& reading : snapshot.cpus) {
    CpuBook& book = cpus_[reading.cpu];
    std::uint64_t busy_ns = reading.busy_ns;
    if (const auto running = tasks_.find(reading.running);
        running != tasks_.end() && running->second.last.run_ns > reading.running_run_ns) {
      busy_ns += running->second.last.run_ns - reading.running_run_ns;
    }
    if (!seeded_) {
      book.base_ns = busy_ns;
    }
    book.busy_ns = std::max(book.busy_ns, busy_ns - std::min(busy_ns, book.base_ns));
    book.missed_switches = reading.missed_switches;
  }
}

}  // namespace sched_exporter
