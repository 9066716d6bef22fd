// Who lives, by /proc, and what the ledger is shown of it.

#include <unordered_set>

#include "exporter/kernel/portable_book.h"

namespace sched_exporter {

/// The process that /proc lists, or null where it is gone again.
PortableBook::Process* PortableBook::MeetListed(std::uint32_t tgid, const LivingProcesses& living,
                                                std::uint64_t now_ns, std::uint64_t& found) {
  const auto known = processes_.find(tgid);
  if (known != processes_.end() && !known->second.is_ghost) {
    return &known->second;
  }
  const auto leader = living.describe(tgid);
  if (!leader) {
    return nullptr;
  }
  ++found;
  if (known == processes_.end()) {
    Process& process = Meet(*leader);
    process.found_ns = now_ns;
    return &process;
  }
  --ghosts_;
  known->second.is_ghost = false;
  known->second.leader.ppid = leader->ppid;
  known->second.leader.kernel_thread = leader->kernel_thread;
  return &known->second;
}

std::uint64_t PortableBook::Reconcile(const LivingProcesses& living, std::uint64_t now_ns) {
  std::uint64_t found = 0;
  std::unordered_set<std::uint32_t> alive;
  for (const LivingProcess& listed : living.list()) {
    if (Process* const process = MeetListed(listed.tgid, living, now_ns, found)) {
      alive.insert(listed.tgid);
      SetThreads(*process, listed.threads, now_ns);
    }
  }
  std::vector<std::uint32_t> gone;
  for (const auto& [tgid, process] : processes_) {
    if (!process.is_ghost && !alive.contains(tgid)) {
      gone.push_back(tgid);
    }
  }
  for (const std::uint32_t tgid : gone) {
    End(tgid, now_ns);
  }
  return found;
}

std::vector<portable_key> PortableBook::RetireGhosts(std::uint64_t now_ns) {
  std::vector<portable_key> keys;
  std::vector<std::uint32_t> over;
  for (const auto& [tgid, process] : processes_) {
    if (process.is_ghost) {
      over.push_back(tgid);
    }
  }
  for (const std::uint32_t tgid : over) {
    Close(tgid, now_ns);
  }
  for (const auto& [place, past] : past_) {
    keys.push_back({place.second, place.first, 0});
  }
  past_.clear();
  return keys;
}

void PortableBook::Fill(Snapshot& snapshot) {
  // What an event took out of the hash was in no reading that is still to come.
  std::erase_if(past_,
                [](const auto& entry) { return entry.second.born_ns <= entry.second.closed_ns; });
  for (auto& [tgid, process] : processes_) {
    Account& main = MainAccount(process, snapshot.boottime_ns);
    for (auto& [cgroup_id, account] : process.accounts) {
      // The others have nobody alive in them by whom the ledger would keep them.
      if (!account.is_told || &account != &main || !process.threads.contains(tgid)) {
        snapshot.switched.push_back(ReadingOf(process, cgroup_id, account));
        account.is_told = true;
      }
    }
    for (auto& [tid, thread] : process.threads) {
      if (!thread.is_told) {
        TaskReading reading = ReadingOf(process, process.leader.cgroup_id, main);
        reading.key = thread.key;
        reading.identity.pid = tid;
        reading.identity.start_ns = thread.start_ns;
        reading.figures = {};
        snapshot.switched.push_back(reading);
        thread.is_told = true;
      }
      snapshot.living_keys.push_back(thread.key == 0 ? main.key : thread.key);
    }
  }
}

}  // namespace sched_exporter
