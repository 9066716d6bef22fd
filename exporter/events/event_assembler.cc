#include "exporter/events/event_assembler.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "exporter/model/printable_comm.h"

namespace sched_exporter {

void EventAssembler::Take(const TaskEvent& event, std::vector<LifecycleEvent>& ready) {
  switch (event.kind) {
    case TaskEvent::Kind::kFinished:
      TakeFinal(event);
      break;
    case TaskEvent::Kind::kExited:
      TakeExit(event, ready);
      break;
    case TaskEvent::Kind::kExecuted:
      TellFormerOwnerOfPid(event, ready);
      ready.push_back(Begin(event, LifecycleEvent::Type::kExec, event.image));
      break;
    case TaskEvent::Kind::kExecFailed:
      // The image is what it tried to run; what it runs isn't known here.
      TellFormerOwnerOfPid(event, ready);
      ready.push_back(Begin(event, LifecycleEvent::Type::kExecFailed, nullptr));
      break;
    case TaskEvent::Kind::kOomKilled:
      TellFormerOwnerOfPid(event, ready);
      ready.push_back(Begin(event, LifecycleEvent::Type::kOomKill, event.image));
      break;
    case TaskEvent::Kind::kForked:
    case TaskEvent::Kind::kThreadStarted:
    case TaskEvent::Kind::kMoved:
      break;
  }
}

void EventAssembler::Settle(std::uint64_t now_boottime_ns, std::vector<LifecycleEvent>& ready) {
  auto exit = pending_.begin();
  while (exit != pending_.end() && now_boottime_ns >= exit->time_ns + kHoldNs) {
    const bool waits = !exit->is_final && now_boottime_ns < exit->time_ns + kLongestHoldNs;
    exit = waits ? std::next(exit) : Tell(exit, ready);
  }
}

LifecycleEvent EventAssembler::Begin(const TaskEvent& event, LifecycleEvent::Type type,
                                     const ProgramImagePtr& own_image) {
  const TaskIdentity& identity = event.reading.identity;
  LifecycleEvent begun;
  begun.type = type;
  begun.time_unix_ns = boot_unix_ns_ + event.time_ns;
  begun.pid = identity.tgid;
  begun.ppid = identity.ppid;
  begun.uid = identity.uid;
  begun.comm = PrintableComm(identity.comm);
  const GroupPtr group =
      event.group != nullptr ? event.group : naming_.GroupOf(identity, own_image);
  begun.group = group->name;
  begun.cgroup = naming_.CgroupPath(identity.cgroup_id);
  begun.cgroup_labels = naming_.CgroupLabels(begun.cgroup);
  begun.code = event.code;
  begun.image = event.image;
  return begun;
}

void EventAssembler::TakeFinal(const TaskEvent& event) {
  const TaskReading& reading = event.reading;
  const ProcessKey process = KeyOf(reading.identity);
  const auto found = by_tgid_.find(process.tgid);
  if (found == by_tgid_.end() || found->second->process != process) {
    sums_.Add(process, reading.figures);
    return;
  }
  Exit& exit = *found->second;
  if (reading.key == exit.last_task && !exit.is_final) {
    exit.last_figures = reading.figures;
    exit.is_final = true;
  } else {
    exit.others.Add(reading.figures);
  }
}

void EventAssembler::TakeExit(const TaskEvent& event, std::vector<LifecycleEvent>& ready) {
  const TaskReading& reading = event.reading;
  const std::uint64_t born_ns = reading.identity.leader_start_ns;
  if (const auto former = by_tgid_.find(reading.identity.tgid); former != by_tgid_.end()) {
    Tell(former->second, ready);
  } else if (pending_.size() >= most_) {
    Tell(pending_.begin(), ready);
  }
  Exit exit;
  exit.event = Begin(event, LifecycleEvent::Type::kExit, event.image);
  exit.event.lifetime_ns = event.time_ns > born_ns ? event.time_ns - born_ns : 0;
  exit.process = KeyOf(reading.identity);
  exit.time_ns = event.time_ns;
  exit.last_task = reading.key;
  exit.last_figures = reading.figures;
  exit.released_run_ns = event.released_run_ns;
  exit.others = sums_.Take(exit.process);
  auto place = pending_.end();
  while (place != pending_.begin() && std::prev(place)->time_ns > exit.time_ns) {
    --place;
  }
  const auto placed = pending_.insert(place, std::move(exit));
  by_tgid_[placed->process.tgid] = placed;
}

/// Readers know processes by their pid: what one of them does must not come before the exit of the
/// one that had its pid before.
void EventAssembler::TellFormerOwnerOfPid(const TaskEvent& event,
                                          std::vector<LifecycleEvent>& ready) {
  const ProcessKey process = KeyOf(event.reading.identity);
  const auto former = by_tgid_.find(process.tgid);
  if (former != by_tgid_.end() && former->second->process != process) {
    Tell(former->second, ready);
  }
}

EventAssembler::Exits::iterator EventAssembler::Tell(Exits::iterator exit,
                                                     std::vector<LifecycleEvent>& ready) {
  const Figures& last = exit->last_figures;
  // Finals may be lost, and signal_struct.sum_sched_runtime lacks tasks that aren't released yet:
  // neither can be more than the truth.
  exit->event.run_ns =
      std::max(exit->others.run_ns + last.run_ns, exit->released_run_ns + last.run_ns);
  // Portable mode knows neither how processes end nor how long they waited.
  if (exit->event.code != kOtherCode) {
    exit->event.wait_ns = exit->others.wait_ns + last.wait_ns;
  }
  ready.push_back(std::move(exit->event));
  by_tgid_.erase(exit->process.tgid);
  return pending_.erase(exit);
}

}  // namespace sched_exporter
