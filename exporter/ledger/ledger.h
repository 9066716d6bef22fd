#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/ledger/label_floors.h"
#include "exporter/ledger/lost_finals.h"
#include "exporter/ledger/view.h"
#include "exporter/model/naming.h"
#include "exporter/model/report.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// How many series each view may have, and how long dead groups and cgroups keep theirs.
struct LedgerLimits {
  std::uint32_t processes = 1000;
  std::uint32_t groups = 500;
  std::uint32_t cgroups = 500;
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

  /// The totals as of the last snapshot.
  Report MakeReport() const;

  void set_limits(const LedgerLimits& limits);

  /// Tasks that are remembered, living or not yet told finished.
  std::size_t task_count() const { return tasks_.size(); }
  std::size_t process_count() const { return processes_.size(); }

 private:
  /// (tgid, start of the leader): what stays when a thread calls exec and takes its leader's place.
  struct ProcessKey {
    std::uint32_t tgid = 0;
    std::uint64_t leader_start_ns = 0;
    bool operator==(const ProcessKey&) const = default;
  };
  struct ProcessKeyHash {
    std::size_t operator()(const ProcessKey& key) const {
      return std::hash<std::uint64_t>()(key.leader_start_ns * 31 + key.tgid);
    }
  };
  struct Process {
    ProcessKey key;
    std::uint32_t ppid = 0;
    std::uint32_t uid = 0;
    bool kernel_thread = false;
    Comm comm{};
    std::uint64_t cgroup_id = 0;  ///< The leader's.
    std::uint32_t tasks = 0;      ///< In tasks_.
    View::Id member = 0;
    View::Id group = 0;
    Totals offset;  ///< See LabelFloors.
    bool new_labels = true;  ///< The offset is to be looked up in this sweep.
  };
  struct Task {
    std::uint64_t start_ns = 0;
    Figures last;
    std::uint64_t cgroup_id = 0;
    Process* process = nullptr;
    bool is_leader = false;
    std::uint32_t living_sweep = 0;  ///< The last sweep that met it alive.
    std::uint32_t seen_sweep = 0;    ///< The last sweep that met it at all.
  };
  /// A view whose members have names.
  struct NamedView {
    View view;
    std::unordered_map<std::string, View::Id> ids;
    std::unordered_map<View::Id, std::string> names;

    View::Id Find(const std::string& name);
    void Settle(std::uint64_t now_ns);
    std::vector<NamedRow> Rows() const;
  };

  void Seed(const Snapshot& snapshot);
  void ApplyEvent(const TaskEvent& event);
  void ApplyReading(const TaskReading& reading, bool living);
  void ApplyLivingKey(TaskKey key);
  bool IsStale(const TaskReading& reading, const Task& task) const;
  Totals ShownTotals(const Process& process) const;
  void RemoveEndedProcesses();
  bool FinishedSince(const TaskReading& reading) const;
  void Retire(const Task& task);
  Task& Remember(const TaskReading& reading);
  void Credit(Task& task, const TaskReading& reading, std::uint64_t cgroup_id);
  void Forget(TaskKey key);
  void RetireLost();
  Process& FindProcess(const TaskIdentity& identity);
  void UpdateProcess(Process& process, const TaskIdentity& identity);
  View::Id GroupId(const TaskIdentity& identity);
  View::Id CgroupMember(std::uint64_t cgroup_id);
  void CreditLost();
  void CountPopulations();
  void CountProcess(const Process& process);
  void UpdateCpus(const Snapshot& snapshot);

  Naming& naming_;
  View processes_view_;
  NamedView groups_;
  NamedView cgroups_;
  std::unordered_map<TaskKey, Task> tasks_;
  std::unordered_map<ProcessKey, Process, ProcessKeyHash> processes_;
  struct CgroupMemberId {
    View::Id id = 0;
    std::uint32_t used_sweep = 0;
  };
  std::unordered_map<std::uint64_t, CgroupMemberId> cgroup_members_;
  std::unordered_map<TaskKey, std::uint64_t> finished_;  ///< In this sweep: key to start.
  LostFinals lost_;
  LabelFloors floors_;
  LedgerLimits limits_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t unattributed_ns_ = 0;
  struct CpuBook {
    std::uint64_t base_ns = 0;
    std::uint64_t busy_ns = 0;
    std::uint64_t missed_switches = 0;
  };
  std::vector<CpuBook> cpus_;
  std::uint64_t seed_boottime_ns_ = 0;
  std::uint32_t sweep_ = 0;
  std::uint64_t living_ = 0;
  bool seeded_ = false;
};

}  // namespace sched_exporter
