#include "exporter/kernel/portable_book.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "exporter/kernel/convert.h"

namespace sched_exporter {
namespace {

/// The kernel's own thread that makes all others of its kind.
constexpr std::uint32_t kKthreadd = 2;

Figures FiguresOf(const portable_usage& usage) {
  Figures figures;
  figures.run_ns = usage.run_ns;
  figures.timeslices = usage.timeslices;
  figures.voluntary_switches = usage.voluntary;
  figures.involuntary_switches = usage.involuntary;
  return figures;
}

void AddTo(Figures& total, const Delta& delta) {
  total.run_ns += delta.run_ns;
  total.timeslices += delta.timeslices;
  total.voluntary_switches += delta.voluntary_switches;
  total.involuntary_switches += delta.involuntary_switches;
}

ProgramImagePtr ImageOf(std::string_view file) {
  if (file.empty()) {
    return nullptr;
  }
  ProgramImage image;
  image.file = file;
  image.file_cut = file.size() + 1 >= ABI_FILE_LEN;
  return std::make_shared<const ProgramImage>(std::move(image));
}

}  // namespace

void PortableBook::Take(const portable_event& event, std::string_view file) {
  switch (event.kind) {
    case PORTABLE_FORKED:
      TakeFork(event);
      break;
    case PORTABLE_THREAD_STARTED:
      TakeThread(event);
      break;
    case PORTABLE_EXECUTED:
      TakeExec(event, file);
      break;
    case PORTABLE_ENDED:
      TakeEnd(event);
      break;
    default:
      break;
  }
}

PortableBook::Process& PortableBook::Meet(const TaskIdentity& leader) {
  Process& process = processes_[leader.tgid];
  process.leader = leader;
  return process;
}

/// A process that no event told of has the name in its usage.
PortableBook::Process& PortableBook::FindOrMake(const portable_key& key,
                                                const portable_usage& usage) {
  if (const auto known = processes_.find(key.tgid); known != processes_.end()) {
    return known->second;
  }
  TaskIdentity leader;
  leader.start_ns = leader.leader_start_ns = usage.born_ns;
  leader.pid = leader.tgid = key.tgid;
  leader.cgroup_id = key.cgroup_id;
  leader.uid = usage.uid;
  leader.comm = CommFromAbi(usage.comm);
  Process& process = Meet(leader);
  process.is_ghost = true;
  ++ghosts_;
  return process;
}

PortableBook::Account& PortableBook::AccountIn(Process& process, std::uint64_t cgroup_id,
                                               std::uint64_t now_ns) {
  const auto [entry, is_new] = process.accounts.try_emplace(cgroup_id);
  if (is_new) {
    entry->second.key = ++last_key_;
    entry->second.start_ns = now_ns;
    // The owner before may have left an entry that is counted already.
    if (const auto past = past_.find({process.leader.tgid, cgroup_id}); past != past_.end()) {
      entry->second.born_ns = past->second.born_ns;
      entry->second.closed_ns = past->second.closed_ns;
      entry->second.counted = past->second.counted;
      past_.erase(past);
    }
  }
  return entry->second;
}

/// Entries of one key follow each other; what is known of one that is over is not told again.
void PortableBook::Credit(Account& account, const portable_usage& usage) {
  if (usage.born_ns == 0 || usage.born_ns <= account.closed_ns || usage.born_ns < account.born_ns) {
    return;
  }
  if (usage.born_ns != account.born_ns) {
    account.born_ns = usage.born_ns;
    account.counted = {};
  }
  const Figures figures = FiguresOf(usage);
  const Delta delta = Difference(figures, account.counted);
  account.counted = Larger(figures, account.counted);
  if (!IsZero(delta)) {
    AddTo(account.total, delta);
    attributed_ns_ += delta.run_ns;
    account.is_told = false;
  }
}

void PortableBook::TakeUsage(const portable_key& key, const portable_usage& usage) {
  if (const auto past = past_.find({key.tgid, key.cgroup_id});
      past != past_.end() && usage.born_ns <= past->second.closed_ns) {
    return;  // read before an event took it out of the hash
  }
  Process& process = FindOrMake(key, usage);
  Credit(AccountIn(process, key.cgroup_id, usage.born_ns), usage);
  if (usage.leader_ns > process.leader_seen_ns) {
    process.leader_seen_ns = usage.leader_ns;
    process.leader.comm = CommFromAbi(usage.comm);
    process.leader.uid = usage.uid;
    process.leader.cgroup_id = key.cgroup_id;
  }
}

/// That came with an event: the entry is gone.
void PortableBook::TakeEventsUsage(const portable_event& event) {
  if (event.usage.born_ns == 0) {
    return;
  }
  TakeUsage(event.key, event.usage);
  const auto process = processes_.find(event.key.tgid);
  if (process == processes_.end()) {
    return;
  }
  Account& account = AccountIn(process->second, event.key.cgroup_id, event.time_ns);
  account.closed_ns = std::max<std::uint64_t>(account.closed_ns, event.usage.born_ns);
}

TaskReading PortableBook::ReadingOf(const Process& process, std::uint64_t cgroup_id,
                                    const Account& account) {
  TaskReading reading;
  reading.key = account.key;
  reading.identity = process.leader;
  reading.identity.start_ns = account.start_ns;
  reading.identity.cgroup_id = cgroup_id;
  // Only the account where the leader is speaks of the process as a whole.
  reading.identity.pid = cgroup_id == process.leader.cgroup_id ? process.leader.tgid : 0;
  reading.figures = account.total;
  return reading;
}

EventOrigin PortableBook::OriginOf(const Process& process) {
  const TaskIdentity& leader = process.leader;
  return {leader.cgroup_id, leader.leader_start_ns, leader.tgid, leader.comm, false};
}

TaskEvent PortableBook::EventOf(TaskEvent::Kind kind, Process& process, std::uint64_t time_ns) {
  TaskEvent event;
  event.kind = kind;
  event.time_ns = time_ns;
  Account& account = MainAccount(process, time_ns);
  event.reading = ReadingOf(process, process.leader.cgroup_id, account);
  return event;
}

void PortableBook::TakeFork(const portable_event& event) {
  const auto former = processes_.find(event.other);
  const bool is_known = former != processes_.end() && former->second.found_ns > event.time_ns;
  if (former != processes_.end() && !is_known) {
    End(event.other, event.time_ns);  // nobody told the end of the pid's former owner
  }
  TaskIdentity child;
  child.start_ns = child.leader_start_ns = event.time_ns;
  child.pid = child.tgid = event.other;
  child.ppid = event.key.tgid;
  child.uid = event.uid;
  child.cgroup_id = event.key.cgroup_id;
  child.comm = CommFromAbi(event.comm);
  EventOrigin origin{event.key.cgroup_id, 0, event.key.tgid, child.comm, false};
  if (const auto parent = processes_.find(event.key.tgid); parent != processes_.end()) {
    origin = OriginOf(parent->second);
    origin.cgroup_id = event.key.cgroup_id;
    child.kernel_thread = parent->second.leader.kernel_thread || child.ppid == kKthreadd;
  }
  Process& process = is_known ? former->second : Meet(child);
  AddThread(process, child.tgid, event.time_ns);
  TaskEvent forked = EventOf(TaskEvent::Kind::kForked, process, event.time_ns);
  forked.origin = origin;
  emit_(std::move(forked));
}

void PortableBook::TakeThread(const portable_event& event) {
  const auto known = processes_.find(event.key.tgid);
  if (known == processes_.end()) {
    return;  // the next Reconcile() finds it
  }
  Process& process = known->second;
  TaskEvent started = EventOf(TaskEvent::Kind::kThreadStarted, process, event.time_ns);
  started.origin = OriginOf(process);
  started.origin.cgroup_id = event.key.cgroup_id;
  started.reading.identity.pid = event.other;
  started.reading.identity.start_ns = event.time_ns;
  AddThread(process, event.other, event.time_ns);
  emit_(std::move(started));
}

void PortableBook::AddThread(Process& process, std::uint32_t tid, std::uint64_t now_ns) {
  const TaskKey key = tid == process.leader.tgid ? 0 : ++last_key_;
  process.threads.try_emplace(tid, Thread{key, now_ns, key == 0});
}

void PortableBook::RemoveThread(Process& process, std::uint32_t tid, std::uint64_t now_ns) {
  const auto thread = process.threads.find(tid);
  if (thread == process.threads.end()) {
    return;
  }
  if (thread->second.key != 0 && thread->second.is_told) {
    TaskEvent finished = EventOf(TaskEvent::Kind::kFinished, process, now_ns);
    finished.reading.key = thread->second.key;
    finished.reading.identity.pid = tid;
    finished.reading.identity.start_ns = thread->second.start_ns;
    finished.reading.figures = {};
    emit_(std::move(finished));
  }
  process.threads.erase(thread);
}

/// In exec all threads but one end, and that one takes the leader's pid.
void PortableBook::TakeExec(const portable_event& event, std::string_view file) {
  TakeEventsUsage(event);
  auto known = processes_.find(event.key.tgid);
  if (known == processes_.end()) {
    portable_usage none{};
    none.born_ns = event.time_ns;
    FindOrMake(event.key, none);
    known = processes_.find(event.key.tgid);
  }
  Process& process = known->second;
  SetThreads(process, {event.key.tgid}, event.time_ns);
  process.leader.comm = CommFromAbi(event.comm);
  process.leader.uid = event.uid;
  process.leader.kernel_thread = false;
  process.leader.cgroup_id = event.key.cgroup_id;
  process.leader_seen_ns = event.time_ns;
  TaskEvent executed = EventOf(TaskEvent::Kind::kExecuted, process, event.time_ns);
  executed.image = ImageOf(file);
  MainAccount(process, event.time_ns).is_told = true;
  emit_(std::move(executed));
}

void PortableBook::TakeEnd(const portable_event& event) {
  TakeEventsUsage(event);
  const auto known = processes_.find(event.key.tgid);
  if (known == processes_.end()) {
    return;
  }
  Process& process = known->second;
  if (process.is_ghost) {
    return;
  }
  if (event.tid == event.key.tgid) {
    process.leader.comm = CommFromAbi(event.comm);
  }
  RemoveThread(process, event.tid, event.time_ns);
  if (process.threads.empty()) {
    End(event.key.tgid, event.time_ns);
  }
}

/// The last thread is gone.
void PortableBook::End(std::uint32_t tgid, std::uint64_t now_ns) {
  Process& process = processes_.at(tgid);
  if (!process.is_ghost) {
    TaskEvent exited = EventOf(TaskEvent::Kind::kExited, process, now_ns);
    exited.code = kOtherCode;
    emit_(std::move(exited));
  }
  Close(tgid, now_ns);
}

void PortableBook::Close(std::uint32_t tgid, std::uint64_t now_ns) {
  Process& process = processes_.at(tgid);
  SetThreads(process, {}, now_ns);
  for (const auto& [cgroup_id, account] : process.accounts) {
    TaskEvent finished;
    finished.kind = TaskEvent::Kind::kFinished;
    finished.time_ns = now_ns;
    finished.reading = ReadingOf(process, cgroup_id, account);
    if (account.born_ns != 0) {
      past_[{tgid, cgroup_id}] = {account.born_ns, account.closed_ns, account.counted};
    }
    emit_(std::move(finished));
  }
  ghosts_ -= process.is_ghost ? 1 : 0;
  processes_.erase(tgid);
}

void PortableBook::SetThreads(Process& process, const std::vector<std::uint32_t>& tids,
                              std::uint64_t now_ns) {
  std::vector<std::uint32_t> gone;
  for (const auto& [tid, thread] : process.threads) {
    if (std::find(tids.begin(), tids.end(), tid) == tids.end()) {
      gone.push_back(tid);
    }
  }
  for (const std::uint32_t tid : gone) {
    RemoveThread(process, tid, now_ns);
  }
  for (const std::uint32_t tid : tids) {
    AddThread(process, tid, now_ns);
  }
}

}  // namespace sched_exporter
