#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bpf/portable_abi.h"
#include "exporter/model/living_process.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Who lives and what each process has used, out of what portable mode's programs tell: processes
/// and cgroups, not tasks. For the ledger each process has an account in each cgroup that it ran
/// in, and an account is what a task is in full mode. Pure; one thread at a time.
class PortableBook {
 public:
  using Emit = std::function<void(TaskEvent event)>;

  /// `emit` takes what happened, in order.
  explicit PortableBook(Emit emit) : emit_(std::move(emit)) {}

  /// What the programs told; `file` is what exec was given.
  void Take(const portable_event& event, std::string_view file);

  /// An entry of the hash, read after the events that are taken already were sent. Of a process
  /// that nobody told of it makes one.
  void TakeUsage(const portable_key& key, const portable_usage& usage);

  /// Takes in who lives: who is new, and who is gone without a word. Returns how many processes are
  /// new here.
  std::uint64_t Reconcile(const LivingProcesses& living, std::uint64_t now_ns);

  /// Processes that are known by their usage alone.
  bool HasGhosts() const { return ghosts_ > 0; }

  /// Lets go of those among them that Reconcile() did not find alive. Returns the keys of entries
  /// in the hash that nobody will use again.
  std::vector<portable_key> RetireGhosts(std::uint64_t now_ns);

  /// The accounts and the living, as the ledger wants them.
  void Fill(Snapshot& snapshot);

  /// Run time that has an owner, since the beginning.
  std::uint64_t attributed_ns() const { return attributed_ns_; }
  std::size_t process_count() const { return processes_.size(); }

 private:
  struct Account {
    TaskKey key = 0;
    std::uint64_t start_ns = 0;   ///< Of the account: the ledger counts it from zero.
    std::uint64_t born_ns = 0;    ///< Of the entry in the hash; 0: none.
    std::uint64_t closed_ns = 0;  ///< Entries born until then are over.
    Figures counted;              ///< Of that entry.
    Figures total;
    bool is_told = false;  ///< The ledger has `total`.
  };
  struct Thread {
    TaskKey key = 0;
    std::uint64_t start_ns = 0;
    bool is_told = false;
  };
  struct Process {
    TaskIdentity leader;
    std::uint64_t leader_seen_ns = 0;
    std::map<std::uint64_t, Account> accounts;  ///< By cgroup.
    std::map<std::uint32_t, Thread> threads;    ///< Living ones; the leader's has no key.
    std::uint64_t found_ns = 0;  ///< When Reconcile() met it first; 0: events told of it.
    bool is_ghost = false;
  };

  /// What is known of an entry in the hash whose account is closed.
  struct Past {
    std::uint64_t born_ns = 0;
    std::uint64_t closed_ns = 0;
    Figures counted;
  };
  using Place = std::pair<std::uint32_t, std::uint64_t>;  ///< Process and cgroup.

  Process& Meet(const TaskIdentity& leader);
  Process* MeetListed(std::uint32_t tgid, const LivingProcesses& living, std::uint64_t now_ns,
                      std::uint64_t& found);
  Process& FindOrMake(const portable_key& key, const portable_usage& usage);
  Account& AccountIn(Process& process, std::uint64_t cgroup_id, std::uint64_t now_ns);
  Account& MainAccount(Process& process, std::uint64_t now_ns) {
    return AccountIn(process, process.leader.cgroup_id, now_ns);
  }
  void Credit(Account& account, const portable_usage& usage);
  void TakeEventsUsage(const portable_event& event);
  void TakeFork(const portable_event& event);
  void TakeThread(const portable_event& event);
  void TakeExec(const portable_event& event, std::string_view file);
  void TakeEnd(const portable_event& event);
  void AddThread(Process& process, std::uint32_t tid, std::uint64_t now_ns);
  void RemoveThread(Process& process, std::uint32_t tid, std::uint64_t now_ns);
  void SetThreads(Process& process, const std::vector<std::uint32_t>& tids, std::uint64_t now_ns);
  void End(std::uint32_t tgid, std::uint64_t now_ns);
  void Close(std::uint32_t tgid, std::uint64_t now_ns);
  TaskEvent EventOf(TaskEvent::Kind kind, Process& process, std::uint64_t time_ns);
  static EventOrigin OriginOf(const Process& process);
  static TaskReading ReadingOf(const Process& process, std::uint64_t cgroup_id,
                               const Account& account);

  Emit emit_;
  std::map<Place, Past> past_;  ///< Of accounts that were closed since the last sweep, or in part.
  std::unordered_map<std::uint32_t, Process> processes_;
  TaskKey last_key_ = 0;
  std::uint64_t attributed_ns_ = 0;
  std::size_t ghosts_ = 0;
};

}  // namespace sched_exporter
