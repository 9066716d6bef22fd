// What the ledger makes of forks, execs, exits and OOM kills.

#include "exporter/ledger/ledger.h"

namespace sched_exporter {
namespace {

/// What a seccomp profile makes up is no errno; such series would have no bound.
std::uint32_t ErrnoSeries(std::uint32_t error) {
  constexpr std::uint32_t kLargestErrno = 133;  // EHWPOISON in include/uapi/asm-generic/errno.h
  return error <= kLargestErrno ? error : kOtherCode;
}

void Add(TaskEvent::Kind kind, std::uint32_t code, std::uint64_t count, Lifecycle& to) {
  switch (kind) {
    case TaskEvent::Kind::kForked:
      to.forks += count;
      break;
    case TaskEvent::Kind::kThreadStarted:
      to.thread_starts += count;
      break;
    case TaskEvent::Kind::kExecuted:
      to.execs += count;
      break;
    case TaskEvent::Kind::kExecFailed:
      to.exec_failures[ErrnoSeries(code)] += count;
      break;
    case TaskEvent::Kind::kExited:
      to.exits[code] += count;
      break;
    case TaskEvent::Kind::kOomKilled:
      to.oom_kills += count;
      break;
    case TaskEvent::Kind::kFinished:
    case TaskEvent::Kind::kMoved:
      break;
  }
}

}  // namespace

void Ledger::ApplyLifecycleEvent(const TaskEvent& event) {
  const TaskIdentity& identity = event.reading.identity;
  switch (event.kind) {
    case TaskEvent::Kind::kForked:
      // Its name and its group before its exec, if it does one. The iterator may have come by
      // before it was there.
      FindProcess(identity, event.image, event.group).forked_sweep = sweep_;
      CountEvent(event, GroupOfOrigin(event), event.origin.cgroup_id);
      break;
    case TaskEvent::Kind::kThreadStarted:
      CountEvent(event, GroupOfOrigin(event), event.origin.cgroup_id);
      break;
    case TaskEvent::Kind::kExecFailed:
      // Its image is what did not come to run.
      CountEvent(event,
                 GroupNow(FindProcess(identity, nullptr, event.group), identity, event.group),
                 identity.cgroup_id);
      break;
    default: {
      Process& process = FindProcess(identity, event.image, event.group);
      if (event.kind == TaskEvent::Kind::kExited) {
        process.forked_sweep = 0;
      }
      CountEvent(event, GroupNow(process, identity, event.group), identity.cgroup_id);
    }
  }
}

/// What the task used until then was used by the former program.
void Ledger::ApplyExec(const TaskEvent& event) {
  const TaskReading& reading = event.reading;
  FindProcess(reading.identity, event.image);
  if (const Task* const known = tasks_.Find(reading.key);
      known != nullptr && known->process->key.tgid != reading.identity.tgid) {
    // Nobody told the end of the address's former owner. The start doesn't say so: the task has
    // taken that of its leader, which may be the earlier one.
    AddDebt(*known);
    Forget(reading.key);
  }
  Task& task = Remember(reading);
  Process& process = *task.process;
  CreditTo(process.group, task, reading, reading.identity.cgroup_id);
  task.cgroup_id = reading.identity.cgroup_id;
  task.seen_sweep = sweep_;
  process.image = event.image;
  process.lost_execs = lost_execs_;
  Rename(process, reading.identity.comm);
  SetGroup(process,
           event.group != nullptr ? *event.group : *naming_.GroupOf(reading.identity, event.image));
  CountEvent(event, process.group, reading.identity.cgroup_id);
}

View::Id Ledger::GroupOfOrigin(const TaskEvent& event) {
  if (event.origin_group != nullptr) {
    return groups_.Find(*event.origin_group);
  }
  TaskIdentity caller;
  caller.tgid = caller.pid = event.origin.tgid;
  caller.leader_start_ns = caller.start_ns = event.origin.leader_start_ns;
  caller.comm = event.origin.comm;
  caller.cgroup_id = event.origin.cgroup_id;
  caller.uid = event.reading.identity.uid;
  caller.kernel_thread = event.reading.identity.kernel_thread;
  const auto known = processes_.find(KeyOf(event.origin));
  return known == processes_.end() ? GroupId(caller, event.image) : GroupNow(known->second, caller);
}

void Ledger::CountEvent(const TaskEvent& event, View::Id group, std::uint64_t cgroup_id) {
  if (!seeded_) {
    return;
  }
  for (Lifecycle* addition :
       {&groups_.Addition(group), &cgroups_.Addition(CgroupMember(cgroup_id))}) {
    Add(event.kind, event.code, 1, *addition);
    if (event.kind == TaskEvent::Kind::kExited) {
      addition->lifetimes.Add(event.time_ns - event.reading.identity.leader_start_ns);
    }
  }
  if (event.kind == TaskEvent::Kind::kExecFailed) {
    ++exec_failures_[ErrnoSeries(event.code)];
  }
}

void Ledger::CountLost(const LostCount& lost) {
  if (lost.kind == TaskEvent::Kind::kExecuted) {
    lost_execs_ += lost.count;
  }
  if (!seeded_) {
    return;
  }
  TaskIdentity identity;
  identity.comm = lost.comm;
  identity.cgroup_id = lost.cgroup_id;
  Lifecycle& group =
      lost.has_owner ? groups_.Addition(GroupId(identity, nullptr)) : groups_.OtherAddition();
  Lifecycle& cgroup =
      lost.has_owner ? cgroups_.Addition(CgroupMember(lost.cgroup_id)) : cgroups_.OtherAddition();
  for (Lifecycle* addition : {&group, &cgroup}) {
    Add(lost.kind, lost.code, lost.count, *addition);
    addition->lifetimes += lost.lifetimes;
  }
  if (lost.kind == TaskEvent::Kind::kExecFailed) {
    exec_failures_[ErrnoSeries(lost.code)] += lost.count;
  }
}

/// What ended before the seed is the past, as it is for the counters.
void Ledger::AddDistributions(const Snapshot& snapshot) {
  if (!seeded_) {
    return;
  }
  for (const CgroupDistributions& cgroup : snapshot.distributions) {
    if (cgroup.cgroup_id == 0) {
      cgroups_.AddOtherDistributions(cgroup.distributions);
    } else {
      cgroups_.AddDistributions(CgroupMember(cgroup.cgroup_id), cgroup.distributions);
    }
  }
}

}  // namespace sched_exporter
