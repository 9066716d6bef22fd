#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/base/plain.h"
#include "exporter/ledger/label_floors.h"
#include "exporter/ledger/lifecycles.h"
#include "exporter/ledger/lost_finals.h"
#include "exporter/ledger/named_view.h"
#include "exporter/ledger/removed_cgroups.h"
#include "exporter/ledger/task_map.h"
#include "exporter/ledger/view.h"
#include "exporter/model/naming.h"
#include "exporter/model/process_key.h"
#include "exporter/model/report.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// How many series each view may have, and how long dead groups and cgroups keep theirs.
struct LedgerLimits {
  std::uint32_t processes = 1000;
  std::uint32_t groups = 500;
  std::uint32_t cgroups = 500;
  std::uint32_t codes = 5000;  ///< Series by exit code, and by errno, in each view.
  std::uint64_t dead_series_ns = 300'000'000'000;
};

/// Turns the kernel's absolute figures into totals by process, group and cgroup that never go back.
/// It keeps the last figures of each task; what a reading has more than those is added once. Cannot
/// fail, reads no clock, knows neither BPF nor HTTP. One thread at a time.
class Ledger {
 public:
  /// `naming` is not owned and outlives the ledger.
  Ledger(const LedgerLimits& limits, Naming& naming);

  /// Takes in a snapshot. The first one is the seed: what it holds is the past and counts nowhere.
  void Apply(const Snapshot& snapshot);

  /// What cgroups without a series of their own had counted while they had one goes to the sums of
  /// removed ones. To be called before a report that somebody will read.
  void SettleFolded();

  /// The totals as of the last snapshot.
  Report MakeReport() const;

  /// Somebody has got the report: series of what is dead by now may go.
  void NoteTold();

  void set_limits(const LedgerLimits& limits);

  /// Whether series of processes tell the comm: one that has the same labels goes on from there.
  void set_comm_is_label(bool is_label) { comm_is_label_ = is_label; }

  /// Groups that have series even if no process was ever in them.
  void set_constant_groups(const std::vector<GroupPtr>& groups) { groups_.SetAlways(groups); }

  /// The naming's answers for groups and for who has series are others than before. What was
  /// counted stays where it is.
  void NameAgain();
  /// The same of some processes alone, and of their groups.
  void NameAgain(const std::vector<ProcessKey>& processes);

  /// All that is remembered, between two snapshots: of tasks, processes, names and totals, but not
  /// the limits and choices of the config (base/archive.h). Load() is for a ledger that has applied
  /// nothing yet; the next snapshot then is no seed, but goes on from what Save() had.
  void Save(SavingArchive& archive);
  void Load(LoadingArchive& archive);

  /// Tasks that are remembered, living or not yet told finished.
  std::size_t task_count() const { return tasks_.size(); }
  std::size_t process_count() const { return processes_.size(); }

 private:
  struct Process {
    ProcessKey key;
    std::uint32_t ppid = 0;
    std::uint32_t uid = 0;
    bool kernel_thread = false;
    Comm comm{};
    std::uint64_t cgroup_id = 0;     ///< The leader's.
    TaskKey leader = 0;              ///< 0: not met yet.
    std::uint32_t tasks = 0;         ///< In tasks_.
    std::uint32_t named_sweep = 0;   ///< The last sweep whose iterator told its name.
    std::uint32_t forked_sweep = 0;  ///< The sweep that told its fork, if it told no exit.
    View::Id member = 0;
    View::Id group = 0;
    bool is_dropped = false;       ///< Its group says that it has no series.
    ProgramImagePtr image;         ///< What it runs, as far as events told.
    std::uint64_t lost_execs = 0;  ///< Execs without an event until `image` was noted.
    LabelFloors::Said offset;      ///< Of its labels.
    bool new_labels = true;        ///< The offset is to be looked up in this sweep.

    template <typename Archive>
    void serialize(Archive& archive) {
      archive(key, ppid, uid, kernel_thread, comm, cgroup_id, leader, named_sweep, forked_sweep,
              member, group, is_dropped, image, lost_execs, offset, new_labels);
    }
  };
  struct Task {
    std::uint64_t start_ns = 0;
    Figures last;
    std::uint64_t cgroup_id = 0;
    Process* process = nullptr;
    std::uint32_t living_sweep = 0;  ///< The last sweep that met it alive.
    std::uint32_t seen_sweep = 0;    ///< The last sweep that had its figures.
    std::uint32_t moved_sweep = 0;   ///< The last sweep that told a move of it.
    bool in_debt = false;            ///< Its figures are a debt in lost_.
  };
  /// Who was met at an address: enough to tell whether another record is of the same task.
  struct Owner {
    using Plain = void;
    std::uint64_t start_ns = 0;
    std::uint32_t tgid = 0;
    bool leads = false;  ///< The last known leader of its process.
  };
  enum class Relation { kSame, kNewOwner, kStale };
  /// What an event told of a task's end.
  struct End {
    TaskIdentity identity;
    std::uint64_t former_start_ns = 0;  ///< As it was known before; another one before exec.
  };
  /// A task in debt that is on no list. It may be on its way to its last switch yet.
  struct Gone {
    using Plain = void;
    Owner owner;
    Figures last;
    std::uint64_t cgroup_id = 0;
    Comm comm{};
    std::uint32_t sweep = 0;
  };

  // What is remembered: ledger_state.cc.
  template <typename Archive>
  void ArchiveTotals(Archive& archive);
  void SaveTasks(SavingArchive& archive);
  void LoadTasks(LoadingArchive& archive);

  // From records to additions: ledger.cc.
  void ApplyEvent(const TaskEvent& event);
  void ApplyTaskEvent(const TaskEvent& event);
  void ApplyReadings(const std::vector<TaskReading>& readings, bool living);
  void ApplyReading(const TaskReading& reading, bool living);
  void ApplyLivingKey(TaskKey key);
  bool HasFinished(const TaskReading& reading) const;
  static Relation Relate(const TaskIdentity& identity, const Owner& owner);
  Owner OwnerOf(TaskKey key, const Task& task) const;
  bool Knows(const TaskReading& reading) const;
  Task& Remember(const TaskReading& reading);
  Task& Remember(Task& task, const TaskReading& reading);
  void BeginTask(Task& task, const TaskReading& reading);
  bool BornSinceSeed(const TaskReading& reading) const;
  bool TakeBack(Task& task, const TaskReading& reading);
  bool Credit(Task& task, const TaskReading& reading, std::uint64_t cgroup_id,
              const GroupPtr& group = nullptr);
  bool CreditTo(View::Id group, Task& task, const TaskReading& reading, std::uint64_t cgroup_id);
  void Forget(TaskKey key);
  void AddDebt(const Task& task);
  void RetireMissing();
  void CreditLost();

  // What happens in the lives of processes: ledger_lifecycle.cc.
  void ApplyLifecycleEvent(const TaskEvent& event);
  void ApplyExec(const TaskEvent& event);
  void CountEvent(const TaskEvent& event, View::Id group, std::uint64_t cgroup_id);
  void CountLost(const LostCount& lost);
  void AddDistributions(const Snapshot& snapshot);
  View::Id GroupOfOrigin(const TaskEvent& event);

  // Processes, names and populations: ledger_processes.cc.
  Process& FindProcess(const TaskIdentity& identity, const ProgramImagePtr& image = nullptr,
                       const GroupPtr& group = nullptr);
  View::Id GroupNow(const Process& process, const TaskIdentity& identity,
                    const GroupPtr& group = nullptr);
  View::Id GroupId(const TaskIdentity& identity, const ProgramImagePtr& image) {
    return groups_.Find(*naming_.GroupOf(identity, image));
  }
  void MeetParentsFirst(const Snapshot& snapshot);
  void SetGroup(Process& process, const Group& group);
  void SetStanding(const Process& process);
  static TaskIdentity IdentityOf(const Process& process);
  void TakeOver(Process& from, Process& to);
  void Rename(Process& process, const Comm& comm);
  void NameProcess(Process& process, const TaskIdentity& identity);
  void UpdateProcess(Process& process, const TaskIdentity& identity);
  View::Id CgroupMember(std::uint64_t cgroup_id);
  template <typename IsOver>
  void ForgetCgroupMembers(const IsOver& is_over);
  void ForgetNamelessCgroups();
  void CountPopulations();
  void CountProcesses();
  void CountProcess(const Process& process);
  LabelFloors::Said ShownOf(const Process& process) const;
  Comm CommLabel(const Process& process) const;
  void NoteEnd(const Process& process);
  std::vector<const Process*> ShownByPid() const;
  void SettleViews();
  void SettleCgroups();
  void KeepOfRemoved(std::vector<NamedRow> cgroups);
  void UpdateCpus(const Snapshot& snapshot);

  Naming& naming_;
  View processes_view_;
  NamedView groups_;
  NamedView cgroups_;
  RemovedCgroups removed_cgroups_;
  TaskMap<Task> tasks_;
  std::unordered_map<TaskKey, Gone> gone_;
  std::unordered_map<ProcessKey, Process, ProcessKeyHash> processes_;
  std::unordered_map<std::uint32_t, Process*> by_pid_;  ///< The youngest of each pid.
  struct CgroupMemberId {
    using Plain = void;
    View::Id id = 0;
    std::uint32_t used_sweep = 0;
  };
  std::unordered_map<std::uint64_t, CgroupMemberId> cgroup_members_;
  /// Who was asked for last in this sweep; null: nobody.
  const std::pair<const std::uint64_t, CgroupMemberId>* last_cgroup_ = nullptr;
  std::unordered_multimap<TaskKey, End> finished_;  ///< In this sweep.
  LostFinals lost_;
  LabelFloors floors_;
  LedgerLimits limits_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t former_ns_ = 0;  ///< Of the snapshot before; of the first one at that.
  std::uint64_t unattributed_ns_ = 0;
  std::uint64_t lost_execs_ = 0;  ///< Execs that no event told.
  std::map<std::uint32_t, std::uint64_t> exec_failures_;
  struct CpuBook {
    using Plain = void;
    std::uint64_t base_ns = 0;
    std::uint64_t busy_ns = 0;
    std::uint64_t missed_switches = 0;
  };
  std::vector<CpuBook> cpus_;
  std::uint64_t seed_boottime_ns_ = 0;
  std::uint32_t sweep_ = 0;
  std::uint64_t living_ = 0;
  bool seeded_ = false;
  bool comm_is_label_ = true;
};

}  // namespace sched_exporter
