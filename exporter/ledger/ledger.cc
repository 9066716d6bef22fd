#include "exporter/ledger/ledger.h"

#include <algorithm>

namespace sched_exporter {
namespace {

/// A task that nobody has met for so many sweeps, and that no event told finished, is forgotten.
/// Its event may come late (a dying task leaves the task list before its last switch), but not that
/// late.
constexpr std::uint32_t kForgetAfterSweeps = 100;

/// A task in debt is forgotten sooner: most are dead, and a storm of them must not fill the memory.
constexpr std::uint32_t kForgetGoneAfterSweeps = 20;

/// A task that the seed didn't meet either had not run yet, or was past the task list on its way
/// out. The former was born no longer than this before the seed.
constexpr std::uint64_t kForkTakesAtMostNs = 1'000'000'000;

}  // namespace

Ledger::Ledger(const LedgerLimits& limits, Naming& naming)
    : naming_(naming),
      processes_view_(limits.processes, {}),
      groups_(
          limits.groups, limits.dead_series_ns,
          [this](const std::string& name) { return naming_.HasSeries(ViewKind::kGroup, name); }),
      cgroups_(
          limits.cgroups, limits.dead_series_ns,
          [this](const std::string& path) { return naming_.HasSeries(ViewKind::kCgroup, path); }),
      limits_(limits) {}

void Ledger::set_limits(const LedgerLimits& limits) {
  limits_ = limits;
  processes_view_.set_limits(limits.processes, {});
  groups_.set_limits(limits.groups, limits.dead_series_ns);
  cgroups_.set_limits(limits.cgroups, limits.dead_series_ns);
}

void Ledger::Apply(const Snapshot& snapshot) {
  sweep_ = snapshot.sweep;
  former_ns_ = seeded_ ? now_ns_ : snapshot.boottime_ns;
  now_ns_ = snapshot.boottime_ns;
  finished_.clear();
  if (!seeded_) {
    seed_boottime_ns_ = snapshot.boottime_ns;
    lost_.Seed(snapshot);
  }
  lost_.Take(snapshot);
  ForgetNamelessCgroups();
  if (!seeded_) {
    MeetParentsFirst(snapshot);
  }
  // Events first: what they tell happened before the readings, or makes the readings stale.
  for (const TaskEvent& event : snapshot.events) {
    ApplyEvent(event);
  }
  for (const LostCount& lost : snapshot.lost_counts) {
    CountLost(lost);
  }
  // Then the names of this moment: an entry of the hash has new figures under the name that the
  // task had when the entry was made.
  Process* process = nullptr;  // of the task before: threads are told one after the other
  for (const TaskReading& reading : snapshot.living) {
    if (process == nullptr || process->key != KeyOf(reading.identity)) {
      process = &FindProcess(reading.identity);
    }
    NameProcess(*process, reading.identity);
    process->named_sweep = sweep_;
  }
  // The hash before the iterator: where a task was moved without an event, its entry tells what it
  // had used in its former cgroup.
  ApplyReadings(snapshot.switched, false);
  ApplyReadings(snapshot.living, true);
  for (const TaskKey key : snapshot.living_keys) {
    ApplyLivingKey(key);
  }
  RetireMissing();
  CreditLost();
  AddDistributions(snapshot);
  UpdateCpus(snapshot);
  CountPopulations();
  SettleViews();
  seeded_ = true;
}

Ledger::Relation Ledger::Relate(const TaskIdentity& identity, const Owner& owner) {
  if (identity.start_ns == owner.start_ns) {
    return Relation::kSame;
  }
  const bool same_process = identity.tgid == owner.tgid;
  const bool leads = identity.pid == identity.tgid;
  if (identity.start_ns < owner.start_ns) {
    // Only exec takes a task's start time back: to its leader's, whose place it takes.
    return same_process && leads && !owner.leads ? Relation::kSame : Relation::kStale;
  }
  // The leader of a process can't become a mere thread of it: this was written before its exec.
  return same_process && owner.leads && !leads ? Relation::kStale : Relation::kNewOwner;
}

Ledger::Owner Ledger::OwnerOf(TaskKey key, const Task& task) const {
  return {task.start_ns, task.process->key.tgid, task.process->leader == key};
}

bool Ledger::Knows(const TaskReading& reading) const {
  if (const Task* const task = tasks_.Find(reading.key); task != nullptr) {
    return reading.identity.start_ns <= task->start_ns;
  }
  const auto gone = gone_.find(reading.key);
  return gone != gone_.end() && Relate(reading.identity, gone->second.owner) == Relation::kSame;
}

Ledger::Task& Ledger::Remember(const TaskReading& reading) {
  return Remember(tasks_[reading.key], reading);
}

/// `task` is the entry of the reading's address, perhaps a new one.
Ledger::Task& Ledger::Remember(Task& task, const TaskReading& reading) {
  if (task.process != nullptr && reading.identity.start_ns > task.start_ns) {
    // The address has a new owner, and nobody told the end of the former one. Its final may be
    // lost, even if that isn't known yet: the kernel side's count was read before its last event.
    AddDebt(task);
    --task.process->tasks;
    task = Task{};
  }
  if (task.process == nullptr) {
    BeginTask(task, reading);
  }
  if (task.in_debt) {
    lost_.Refund(task.cgroup_id, task.process->comm, task.last);
    task.in_debt = false;
  }
  // Mostly it is in the process that it was in: no look-up.
  if (task.process == nullptr || task.process->key != KeyOf(reading.identity)) {
    Process& process = FindProcess(reading.identity);
    if (task.process != &process) {
      if (task.process != nullptr) {
        --task.process->tasks;
      }
      task.process = &process;
      ++process.tasks;
    }
  }
  if (reading.identity.pid == reading.identity.tgid) {
    task.process->leader = reading.key;
  }
  task.start_ns = reading.identity.start_ns;
  return task;
}

void Ledger::BeginTask(Task& task, const TaskReading& reading) {
  if (TakeBack(task, reading)) {
    return;
  }
  task.last = BornSinceSeed(reading) ? Figures{} : reading.figures;
  task.cgroup_id = reading.identity.cgroup_id;
}

/// A task that was taken for dead is back, or its end is told.
bool Ledger::TakeBack(Task& task, const TaskReading& reading) {
  const auto entry = gone_.find(reading.key);
  if (entry == gone_.end()) {
    return false;
  }
  const Gone gone = entry->second;
  gone_.erase(entry);
  if (Relate(reading.identity, gone.owner) != Relation::kSame) {
    return false;
  }
  lost_.Refund(gone.cgroup_id, gone.comm, gone.last);
  task.last = gone.last;
  task.cgroup_id = gone.cgroup_id;
  return true;
}

bool Ledger::BornSinceSeed(const TaskReading& reading) const {
  if (!seeded_) {
    return false;
  }
  const TaskIdentity& identity = reading.identity;
  if (identity.start_ns + kForkTakesAtMostNs >= seed_boottime_ns_) {
    return true;
  }
  // A thread that took its leader's start time in exec: the leader that the seed met is another.
  const auto process = processes_.find({identity.tgid, identity.leader_start_ns});
  return identity.pid == identity.tgid && process != processes_.end() &&
         process->second.leader != 0 && process->second.leader != reading.key;
}

/// Returns false where the reading had nothing new.
bool Ledger::Credit(Task& task, const TaskReading& reading, std::uint64_t cgroup_id,
                    const GroupPtr& group) {
  return CreditTo(GroupNow(*task.process, reading.identity, group), task, reading, cgroup_id);
}

bool Ledger::CreditTo(View::Id group, Task& task, const TaskReading& reading,
                      std::uint64_t cgroup_id) {
  const Delta delta = Difference(reading.figures, task.last);
  task.last = Larger(task.last, reading.figures);
  if (IsZero(delta)) {
    return false;
  }
  if (!seeded_) {
    return true;
  }
  processes_view_.Credit(task.process->member, delta);
  groups_.Credit(group, delta);
  cgroups_.Credit(CgroupMember(cgroup_id), delta);
  return true;
}

void Ledger::ApplyEvent(const TaskEvent& event) {
  switch (event.kind) {
    case TaskEvent::Kind::kFinished:
    case TaskEvent::Kind::kMoved:
    case TaskEvent::Kind::kExecuted:
      ApplyTaskEvent(event);
      break;
    default:
      ApplyLifecycleEvent(event);
  }
}

/// An event with figures of its task.
void Ledger::ApplyTaskEvent(const TaskEvent& event) {
  const TaskReading& reading = event.reading;
  if (event.kind == TaskEvent::Kind::kExecuted) {
    ApplyExec(event);
    return;
  }
  const Task* const known = tasks_.Find(reading.key);
  // Events are in order. So an earlier start is that of a leader whose place the task took since,
  // even if it has lost that place to another thread meanwhile.
  if (known != nullptr && reading.identity.start_ns < known->start_ns &&
      reading.identity.tgid != known->process->key.tgid) {
    return;
  }
  if (event.kind == TaskEvent::Kind::kMoved && HasFinished(reading)) {
    return;  // the move was told by another CPU, after the last switch
  }
  const bool use_known = event.origin.is_guess && Knows(reading);
  const std::uint64_t former_start_ns = known == nullptr ? 0 : known->start_ns;
  Task& task = Remember(reading);
  if (event.kind == TaskEvent::Kind::kMoved) {
    Credit(task, reading, use_known ? task.cgroup_id : event.origin.cgroup_id);
    task.cgroup_id = reading.identity.cgroup_id;
    task.seen_sweep = task.moved_sweep = sweep_;
    if (reading.identity.pid == reading.identity.tgid) {
      task.process->cgroup_id = reading.identity.cgroup_id;
      if (event.group != nullptr) {
        SetGroup(*task.process, *event.group);
      }
    }
    return;
  }
  Credit(task, reading, reading.identity.cgroup_id, event.group);
  finished_.emplace(reading.key, End{reading.identity, former_start_ns});
  Forget(reading.key);
}

/// The reading is older than the end of its task, which an event of this sweep told.
bool Ledger::HasFinished(const TaskReading& reading) const {
  if (finished_.empty()) {
    return false;
  }
  const auto [first, last] = finished_.equal_range(reading.key);
  return std::any_of(first, last, [&](const auto& entry) {
    const TaskIdentity& then = reading.identity;
    const TaskIdentity& end = entry.second.identity;
    const bool before_exec =
        then.start_ns > end.start_ns && then.pid != then.tgid && end.pid == end.tgid;
    return then.tgid == end.tgid && (then.start_ns == end.start_ns || before_exec ||
                                     then.start_ns == entry.second.former_start_ns);
  });
}

/// Readings are in the order of the kernel's hash or of pids, so that each task is somewhere else
/// in our memory: that is asked for in time.
void Ledger::ApplyReadings(const std::vector<TaskReading>& readings, bool living) {
  constexpr std::size_t kAhead = 8;
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (i + 2 * kAhead < readings.size()) {
      tasks_.PrefetchPlace(readings[i + 2 * kAhead].key);
      tasks_.PrefetchEntry(readings[i + kAhead].key);
    }
    ApplyReading(readings[i], living);
  }
}

void Ledger::ApplyReading(const TaskReading& reading, bool living) {
  if (HasFinished(reading)) {
    return;
  }
  Task& task = tasks_[reading.key];
  if (task.process != nullptr && reading.identity.start_ns != task.start_ns) {
    // Beside a move of this sweep, another start is from before it, or the next sweep tells again.
    if (task.moved_sweep == sweep_ ||
        Relate(reading.identity, OwnerOf(reading.key, task)) == Relation::kStale) {
      return;
    }
  }
  Remember(task, reading);
  task.seen_sweep = sweep_;
  if (living) {
    task.living_sweep = sweep_;
  }
  if (reading.figures.run_ns < task.last.run_ns) {
    return;  // older than an event of this sweep
  }
  const bool newer = Credit(task, reading, reading.identity.cgroup_id);
  if (!newer && task.moved_sweep == sweep_) {
    return;  // perhaps older than the move, and then its cgroup is the former one
  }
  task.cgroup_id = reading.identity.cgroup_id;
  UpdateProcess(*task.process, reading.identity);
}

/// The walk has the figures, unless it caught the entry while it was being written. Then who lives
/// at this address is not sure: `seen_sweep` stays.
void Ledger::ApplyLivingKey(TaskKey key) {
  if (Task* const task = tasks_.Find(key); task != nullptr) {
    task->living_sweep = sweep_;
  }
}

void Ledger::Forget(TaskKey key) {
  --tasks_.Find(key)->process->tasks;
  tasks_.Erase(key);
}

void Ledger::AddDebt(const Task& task) {
  if (!task.in_debt) {
    lost_.AddDebt(task.cgroup_id, task.process->comm, task.last);
  }
}

/// While finals are lost, every task that no record of this sweep is of may be in a sum.
void Ledger::RetireMissing() {
  const bool open = lost_.Open();
  tasks_.EraseIf([&](TaskKey key, Task& task) {
    const std::uint32_t missing = sweep_ - task.seen_sweep;
    if (missing > 0 && open) {
      AddDebt(task);
      task.in_debt = true;
    }
    if (missing == 0 || task.living_sweep == sweep_ ||
        (!task.in_debt && missing < kForgetAfterSweeps)) {
      return false;
    }
    if (task.in_debt) {
      gone_[key] = {OwnerOf(key, task), task.last, task.cgroup_id, task.process->comm, sweep_};
    }
    --task.process->tasks;
    return true;
  });
  std::erase_if(gone_, [&](const auto& entry) {
    return sweep_ - entry.second.sweep >= kForgetGoneAfterSweeps;
  });
}

void Ledger::CreditLost() {
  for (const LostFinals::Addition& addition : lost_.TakeAdditions(gone_.empty())) {
    TaskIdentity identity;
    identity.comm = addition.comm;
    identity.cgroup_id = addition.cgroup_id;
    processes_view_.CreditOther(addition.delta);
    groups_.Credit(GroupId(identity, nullptr), addition.delta);
    cgroups_.Credit(CgroupMember(addition.cgroup_id), addition.delta);
  }
  unattributed_ns_ += lost_.TakeUnattributed().run_ns;
}

}  // namespace sched_exporter
