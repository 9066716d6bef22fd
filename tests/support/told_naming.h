#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter::test_support {

/// Groups are what a test says of each comm, else the comm.
class ToldNaming : public PlainNaming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override {
    asked.push_back(identity.leader_start_ns);
    const auto told = groups.find(identity.comm.data());
    return told == groups.end() ? PlainNaming::GroupOf(identity, image) : told->second;
  }
  std::string CgroupPath(std::uint64_t id) override {
    const auto told = paths.find(id);
    return told == paths.end() ? PlainNaming::CgroupPath(id) : told->second;
  }
  bool CgroupLives(const std::string& path) override { return living.contains(path); }
  bool HasSeries(ViewKind view, const std::string& name) override {
    return !unwanted.contains({view, name});
  }
  void Forget(const ProcessKey& process) override { forgotten.push_back(process); }

  std::map<std::string, GroupPtr> groups;
  std::map<std::uint64_t, std::string> paths;
  std::set<std::string> living;
  std::set<std::pair<ViewKind, std::string>> unwanted;
  std::vector<ProcessKey> forgotten;
  std::vector<std::uint64_t> asked;  ///< Starts of the processes, in order.
};

class LedgerNames : public testing::Test {
 protected:
  static constexpr std::uint64_t kSeedNs = 1'000 * kSecond;
  static constexpr std::uint64_t kLater = kSeedNs + kSecond;

  void Apply(Snapshot snapshot) {
    snapshot.sweep = ++sweep_;
    snapshot.boottime_ns = kSeedNs + (sweep_ - 1) * kSecond;
    ledger_.Apply(snapshot);
  }
  void Living(const std::vector<TaskReading>& living) {
    Snapshot snapshot;
    snapshot.living = living;
    Apply(snapshot);
  }
  void Finish(const std::vector<TaskEvent>& events) {
    Snapshot snapshot;
    snapshot.events = events;
    Apply(snapshot);
  }
  static std::uint64_t Ns(const Totals& totals) { return totals.user_ns + totals.system_ns; }
  std::vector<std::string> Groups() const {
    std::vector<std::string> names;
    for (const NamedRow& row : ledger_.MakeReport().groups) {
      names.push_back(row.name + "=" + std::to_string(Ns(row.totals)));
    }
    return names;
  }
  static std::uint64_t SumOf(const std::vector<NamedRow>& rows) {
    std::uint64_t sum = 0;
    for (const NamedRow& row : rows) {
      sum += Ns(row.totals);
    }
    return sum;
  }

  /// All that cgroups have counted, as somebody who reads it now adds it up.
  std::uint64_t SumNow() {
    ledger_.SettleFolded();
    const Report report = ledger_.MakeReport();
    ledger_.NoteTold();
    return SumOf(report.cgroups) + SumOf(report.removed_cgroups) + Ns(report.other_cgroups.totals);
  }

  ToldNaming naming_;
  LedgerLimits limits_{10, 10, 10, 100, 3 * kSecond};
  Ledger ledger_{limits_, naming_};
  std::uint32_t sweep_ = 0;
};

}  // namespace sched_exporter::test_support
