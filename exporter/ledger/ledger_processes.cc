// The ledger's processes, and what is counted anew at each sweep.

#include <algorithm>

#include "exporter/ledger/ledger.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {

Ledger::Process& Ledger::FindProcess(const TaskIdentity& identity, const ProgramImagePtr& image,
                                     const GroupPtr& group) {
  const ProcessKey key = KeyOf(identity);
  if (const auto known = processes_.find(key); known != processes_.end()) {
    return known->second;
  }
  Process*& youngest = by_pid_[key.tgid];
  if (youngest != nullptr && youngest->key.leader_start_ns > key.leader_start_ns) {
    return *youngest;  // the late end of a process whose pid has a new owner
  }
  Process& process = processes_[key];
  process.key = key;
  process.comm = identity.comm;
  process.kernel_thread = identity.kernel_thread;
  process.ppid = identity.ppid;
  process.uid = identity.uid;
  process.cgroup_id = identity.cgroup_id;
  process.image = image;
  process.lost_execs = lost_execs_;
  process.member = processes_view_.Add();
  SetGroup(process, group != nullptr ? *group : *naming_.GroupOf(identity, image));
  if (youngest != nullptr) {
    TakeOver(*youngest, process);
  }
  youngest = &process;
  return process;
}

/// A pid is free before its task's last switch (release_task() in kernel/exit.c), so that its next
/// owner may be met before the end of the former one. One series can't be of two processes.
void Ledger::TakeOver(Process& from, Process& to) {
  if (from.tasks == 0) {
    return;
  }
  tasks_.ForEach([&](TaskKey /*key*/, Task& task) {
    if (task.process == &from) {
      task.process = &to;
    }
  });
  to.tasks += from.tasks;
  from.tasks = 0;
}

/// The naming may give children the group of their parents.
void Ledger::MeetParentsFirst(const Snapshot& snapshot) {
  std::vector<const TaskIdentity*> tasks;
  for (const auto* readings : {&snapshot.switched, &snapshot.living}) {
    for (const TaskReading& reading : *readings) {
      tasks.push_back(&reading.identity);
    }
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const TaskIdentity* a, const TaskIdentity* b) {
    return a->leader_start_ns < b->leader_start_ns;
  });
  for (const TaskIdentity* task : tasks) {
    naming_.GroupOf(*task, nullptr);
  }
}

void Ledger::SetGroup(Process& process, const Group& group) {
  process.group = groups_.Find(group);
  process.is_dropped = group.is_dropped;
  SetStanding(process);
}

void Ledger::SetStanding(const Process& process) {
  const bool has_series =
      !process.is_dropped && naming_.HasSeries(ViewKind::kProcess, PrintableComm(process.comm));
  processes_view_.set_standing(process.member,
                               has_series ? View::Standing::kOrdinary : View::Standing::kNever);
}

void Ledger::Rename(Process& process, const Comm& comm) {
  if (process.comm == comm) {
    return;
  }
  if (comm_is_label_) {
    floors_.Leave(process.key.tgid, process.comm, ShownOf(process), now_ns_);
    process.new_labels = true;
  }
  process.comm = comm;
}

void Ledger::NameProcess(Process& process, const TaskIdentity& identity) {
  if (process.comm != identity.comm) {
    Rename(process, identity.comm);
    if (process.lost_execs != lost_execs_) {
      process.image = nullptr;  // perhaps it was an exec that changed the name
    }
    SetGroup(process, *naming_.GroupOf(identity, process.image));
  }
}

TaskIdentity Ledger::IdentityOf(const Process& process) {
  TaskIdentity identity;
  identity.start_ns = identity.leader_start_ns = process.key.leader_start_ns;
  identity.pid = identity.tgid = process.key.tgid;
  identity.ppid = process.ppid;
  identity.uid = process.uid;
  identity.cgroup_id = process.cgroup_id;
  identity.kernel_thread = process.kernel_thread;
  identity.comm = process.comm;
  return identity;
}

void Ledger::NameAgain() {
  // Parents first: the naming may give children the group of their parents.
  std::vector<ProcessKey> oldest_first;
  oldest_first.reserve(processes_.size());
  for (const auto& [key, process] : processes_) {
    oldest_first.push_back(key);
  }
  std::sort(oldest_first.begin(), oldest_first.end(), [](const ProcessKey& a, const ProcessKey& b) {
    return a.leader_start_ns < b.leader_start_ns;
  });
  NameAgain(oldest_first);
  groups_.FilterAgain();
  cgroups_.FilterAgain();
}

void Ledger::NameAgain(const std::vector<ProcessKey>& processes) {
  for (const ProcessKey& key : processes) {
    if (const auto known = processes_.find(key); known != processes_.end()) {
      Process& process = known->second;
      SetGroup(process, *naming_.GroupOf(IdentityOf(process), process.image));
    }
  }
}

void Ledger::UpdateProcess(Process& process, const TaskIdentity& identity) {
  if (process.named_sweep != sweep_) {
    NameProcess(process, identity);
  }
  process.ppid = identity.ppid;
  if (identity.pid != identity.tgid) {
    return;
  }
  const bool is_another_place = process.cgroup_id != identity.cgroup_id;
  const bool is_another_user = process.uid != identity.uid;
  process.uid = identity.uid;
  process.cgroup_id = identity.cgroup_id;
  if (is_another_user || is_another_place) {
    SetGroup(process, *naming_.GroupOf(IdentityOf(process), process.image));
  }
}

/// The group of a process when it had the name in `identity`: what an event told, its own, or that
/// of a name that the process has left or not yet got.
View::Id Ledger::GroupNow(const Process& process, const TaskIdentity& identity,
                          const GroupPtr& group) {
  if (group != nullptr) {
    return groups_.Find(*group);
  }
  const bool by_process = identity.comm == process.comm || process.named_sweep == sweep_;
  return by_process ? process.group : GroupId(identity, process.image);
}

View::Id Ledger::CgroupMember(std::uint64_t cgroup_id) {
  // Tasks of one cgroup mostly follow each other.
  if (last_cgroup_ != nullptr && last_cgroup_->first == cgroup_id) {
    return last_cgroup_->second.id;
  }
  const auto [entry, added] = cgroup_members_.try_emplace(cgroup_id);
  if (added) {
    entry->second.id = cgroups_.Find(naming_.CgroupPath(cgroup_id));
  }
  entry->second.used_sweep = sweep_;
  last_cgroup_ = &*entry;
  return entry->second.id;
}

template <typename IsOver>
void Ledger::ForgetCgroupMembers(const IsOver& is_over) {
  last_cgroup_ = nullptr;
  std::erase_if(cgroup_members_, [&](const auto& entry) { return is_over(entry.second); });
}

/// A cgroup without a name may have got one since.
void Ledger::ForgetNamelessCgroups() {
  ForgetCgroupMembers(
      [this](const CgroupMemberId& member) { return cgroups_.NameOf(member.id) == kUnknownName; });
}

void Ledger::CountPopulations() {
  processes_view_.ClearPopulations();
  groups_.ClearPopulations();
  cgroups_.ClearPopulations();
  living_ = 0;
  tasks_.ForEach([&](TaskKey /*key*/, const Task& task) {
    const View::Id cgroup = CgroupMember(task.cgroup_id);
    if (task.living_sweep == sweep_) {
      ++living_;
      ++processes_view_.population(task.process->member).threads;
      ++cgroups_.population(cgroup).threads;
    }
    cgroups_.Hold(cgroup);
  });
  CountProcesses();
}

/// Those that ended are removed. One pass does both: each process is in a place of its own in
/// memory.
void Ledger::CountProcesses() {
  std::vector<Process*> with_new_labels;
  for (auto entry = processes_.begin(); entry != processes_.end();) {
    Process& process = entry->second;
    if (process.tasks == 0 && process.forked_sweep != sweep_) {
      NoteEnd(process);
      entry = processes_.erase(entry);
      continue;
    }
    if (process.new_labels) {
      with_new_labels.push_back(&process);
    }
    CountProcess(process);
    ++entry;
  }
  floors_.Prune(now_ns_, limits_.dead_series_ns, limits_.processes);
  // Labels may be those of a process that ended just now.
  for (Process* const process : with_new_labels) {
    process->new_labels = false;
    process->offset = floors_.Offset(process->key.tgid, CommLabel(*process),
                                     processes_view_.member(process->member).totals);
  }
}

Comm Ledger::CommLabel(const Process& process) const {
  return comm_is_label_ ? process.comm : Comm{};
}

LabelFloors::Said Ledger::ShownOf(const Process& process) const {
  const View::Member& member = processes_view_.member(process.member);
  const std::uint64_t before_ns = process.offset.since_ns;
  std::uint64_t since_ns = member.since_ns;
  if (since_ns != 0) {
    since_ns = std::max(since_ns, process.key.leader_start_ns);
  }
  if (before_ns != 0) {
    since_ns = since_ns == 0 ? before_ns : std::min(since_ns, before_ns);
  }
  return {member.totals + process.offset.totals, since_ns};
}

void Ledger::NoteEnd(const Process& process) {
  if (processes_view_.member(process.member).shown) {
    floors_.Leave(process.key.tgid, CommLabel(process), ShownOf(process), now_ns_);
  }
  if (const auto youngest = by_pid_.find(process.key.tgid);
      youngest != by_pid_.end() && youngest->second == &process) {
    by_pid_.erase(youngest);
  }
  naming_.Forget(process.key);
}

void Ledger::CountProcess(const Process& process) {
  const View::Id cgroup = CgroupMember(process.cgroup_id);
  processes_view_.Hold(process.member);
  groups_.Hold(process.group);
  cgroups_.Hold(cgroup);
  Population& own = processes_view_.population(process.member);
  if (own.threads == 0) {
    return;
  }
  own.processes = 1;
  own.oldest_start_ns = process.key.leader_start_ns;
  groups_.population(process.group).threads += own.threads;
  for (Population* sum : {&groups_.population(process.group), &cgroups_.population(cgroup)}) {
    ++sum->processes;
    if (sum->oldest_start_ns == 0 || own.oldest_start_ns < sum->oldest_start_ns) {
      sum->oldest_start_ns = own.oldest_start_ns;
    }
  }
}

void Ledger::UpdateCpus(const Snapshot& snapshot) {
  for (const CpuReading& reading : snapshot.cpus) {
    cpus_.resize(std::max<std::size_t>(cpus_.size(), reading.cpu + 1));
    CpuBook& book = cpus_[reading.cpu];
    std::uint64_t busy_ns = reading.busy_ns;
    // Who is not known to live is a former owner of the address.
    if (const Task* const running = tasks_.Find(reading.running);
        running != nullptr && running->living_sweep == sweep_ &&
        running->last.run_ns > reading.running_run_ns) {
      busy_ns += running->last.run_ns - reading.running_run_ns;
    }
    if (!seeded_) {
      book.base_ns = busy_ns;
    }
    book.busy_ns = std::max(book.busy_ns, busy_ns - std::min(busy_ns, book.base_ns));
    book.missed_switches = reading.missed_switches;
  }
}

void Ledger::SettleViews() {
  std::vector<View::Id> removed;
  processes_view_.Settle(now_ns_, removed);
  std::vector<NamedRow> ended;
  groups_.Settle(now_ns_, limits_.codes, ended);
  SettleCgroups();
  // Ids are the kernel's and never come back; their names stay as long as the view keeps them.
  ForgetCgroupMembers([this](const CgroupMemberId& member) {
    return member.used_sweep != sweep_ || !cgroups_.Has(member.id);
  });
}

/// A cgroup has its series as long as it is there, once it had any. What it counted goes to the
/// one above when they go.
void Ledger::SettleCgroups() {
  cgroups_.HoldIf([this](const std::string& path) { return naming_.CgroupLives(path); });
  std::vector<NamedRow> removed;
  cgroups_.Settle(now_ns_, limits_.codes, removed);
  // Also where none ends: a pod's directory, which had no task, may be gone with a sum of its own.
  KeepOfRemoved(std::move(removed));
}

void Ledger::SettleFolded() { KeepOfRemoved(cgroups_.TakeFolded()); }

void Ledger::KeepOfRemoved(std::vector<NamedRow> cgroups) {
  removed_cgroups_.Add(
      std::move(cgroups), [this](const std::string& path) { return naming_.CgroupLives(path); },
      limits_.cgroups, limits_.codes, former_ns_);
}

}  // namespace sched_exporter
