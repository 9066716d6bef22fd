#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/ledger/ledger.h"

namespace sched_exporter::test_support {

inline constexpr std::uint64_t kSecond = 1'000'000'000;

inline Comm MakeComm(const std::string& text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size()), comm.begin());
  return comm;
}

/// A task of a hand-written snapshot.
struct Who {
  TaskKey key = 0;
  std::uint32_t pid = 0;
  std::uint32_t tgid = 0;
  std::uint64_t start_ns = 0;
  std::uint64_t leader_start_ns = 0;
  std::uint64_t cgroup = 1;
  std::string comm = "app";

  Who In(std::uint64_t other_cgroup) const {
    Who who = *this;
    who.cgroup = other_cgroup;
    return who;
  }
  Who Named(const std::string& name) const {
    Who who = *this;
    who.comm = name;
    return who;
  }

  TaskReading Has(std::uint64_t run_ns) const {
    TaskReading reading;
    reading.key = key;
    reading.identity.pid = pid;
    reading.identity.tgid = tgid;
    reading.identity.start_ns = start_ns;
    reading.identity.leader_start_ns = leader_start_ns;
    reading.identity.cgroup_id = cgroup;
    reading.identity.comm = MakeComm(comm);
    reading.figures.run_ns = run_ns;
    return reading;
  }
  TaskEvent Finished(std::uint64_t run_ns) const {
    TaskEvent event;
    event.reading = Has(run_ns);
    return event;
  }
  /// It moved to its cgroup.
  TaskEvent MovedFrom(std::uint64_t from, std::uint64_t run_ns) const {
    TaskEvent event = Finished(run_ns);
    event.kind = TaskEvent::Kind::kMoved;
    event.origin.cgroup_id = from;
    return event;
  }
  TaskEvent MovedFromGuess(std::uint64_t from, std::uint64_t run_ns) const {
    TaskEvent event = MovedFrom(from, run_ns);
    event.origin.is_guess = true;
    return event;
  }
};

inline Who Process(TaskKey key, std::uint32_t pid, std::uint64_t start_ns) {
  return {key, pid, pid, start_ns, start_ns};
}

inline Who Thread(const Who& leader, TaskKey key, std::uint32_t pid, std::uint64_t start_ns) {
  Who thread = leader;
  thread.key = key;
  thread.pid = pid;
  thread.start_ns = start_ns;
  return thread;
}

/// Groups are comms, paths are "/1" for cgroup 1; from 100 on all ids have the path "/same".
class PlainNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& /*image*/) override {
    return MakeGroup(identity.comm.data());
  }
  std::string CgroupPath(std::uint64_t id) override {
    return id >= 100 ? "/same" : "/" + std::to_string(id);
  }
};

/// Feeds snapshots to a ledger, one a second, and reads what it says.
class LedgerTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kSeedNs = 1'000 * kSecond;
  /// Before the seed, and after it.
  static constexpr std::uint64_t kPast = 100 * kSecond;
  static constexpr std::uint64_t kLater = kSeedNs + kSecond;

  void Apply(Snapshot snapshot) {
    snapshot.sweep = ++sweep_;
    snapshot.boottime_ns = kSeedNs + (sweep_ - 1) * kSecond;
    snapshot.lost_finals = lost_finals_;
    ledger_.Apply(snapshot);
    ledger_.NoteTold();  // as if it was scraped
  }
  void ApplyNothing(int sweeps) {
    for (int i = 0; i < sweeps; ++i) {
      Apply({});
    }
  }
  void Living(const std::vector<TaskReading>& living) {
    Snapshot snapshot;
    snapshot.living = living;
    Apply(snapshot);
  }
  void Events(const std::vector<TaskEvent>& events, const std::vector<TaskReading>& switched = {},
              const std::vector<TaskReading>& living = {}) {
    Snapshot snapshot;
    snapshot.events = events;
    snapshot.switched = switched;
    snapshot.living = living;
    Apply(snapshot);
  }

  static std::uint64_t RunNs(const Totals& totals) { return totals.user_ns + totals.system_ns; }
  static const NamedRow* Find(const std::vector<NamedRow>& rows, const std::string& name) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const NamedRow& candidate) {
      return candidate.name == name;
    });
    return row == rows.end() ? nullptr : &*row;
  }
  /// Run time in the series of a group; a series that isn't there has none.
  std::uint64_t GroupNs(const std::string& name) const {
    const Report report = ledger_.MakeReport();
    const NamedRow* row = Find(report.groups, name);
    return row == nullptr ? 0 : RunNs(row->totals);
  }
  std::uint64_t CgroupNs(const std::string& path) const {
    const Report report = ledger_.MakeReport();
    const NamedRow* row = Find(report.cgroups, path);
    return row == nullptr ? 0 : RunNs(row->totals);
  }
  std::uint64_t ProcessNs(std::uint32_t pid) const {
    for (const ProcessRow& row : ledger_.MakeReport().processes) {
      if (row.pid == pid) {
        return RunNs(row.totals);
      }
    }
    return 0;
  }
  std::vector<std::uint32_t> Pids() const {
    std::vector<std::uint32_t> pids;
    for (const ProcessRow& row : ledger_.MakeReport().processes) {
      pids.push_back(row.pid);
    }
    return pids;
  }
  static std::uint64_t Sum(const std::vector<NamedRow>& rows, const OtherRow& other) {
    std::uint64_t sum = RunNs(other.totals);
    for (const NamedRow& row : rows) {
      sum += RunNs(row.totals);
    }
    return sum;
  }
  std::uint64_t AllGroupsNs() const {
    const Report report = ledger_.MakeReport();
    return Sum(report.groups, report.other_groups);
  }

  PlainNaming naming_;
  Ledger ledger_{LedgerLimits{}, naming_};
  std::uint32_t sweep_ = 0;
  std::uint64_t lost_finals_ = 0;
};

}  // namespace sched_exporter::test_support
