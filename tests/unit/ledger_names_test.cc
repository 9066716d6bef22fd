// Groups with labels, without series of their own, and with series for ever; names that change;
// what stays of cgroups that were removed.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::Process;
using test_support::Who;
using testing::ElementsAre;
using testing::IsEmpty;

GroupPtr Labelled(const std::string& name, const std::string& team) {
  Group group;
  group.name = name;
  group.labels = {{"team", team}};
  return std::make_shared<const Group>(group);
}

GroupPtr OtherGroup(bool is_dropped) {
  Group group;
  group.name = kOtherName;
  group.is_other = true;
  group.is_dropped = is_dropped;
  return std::make_shared<const Group>(group);
}

/// Groups are what a test says of each comm, else the comm.
class ToldNaming : public test_support::PlainNaming {
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

TEST_F(LedgerNames, TheSameNameWithOtherLabelsIsAnotherGroup) {
  naming_.groups = {{"a", Labelled("web", "red")}, {"b", Labelled("web", "blue")}};
  Living({});
  Living({Process(1, 11, kLater).Named("a").Has(3), Process(2, 12, kLater).Named("b").Has(4)});
  const Report report = ledger_.MakeReport();
  ASSERT_EQ(report.groups.size(), 2);
  EXPECT_EQ(report.groups[0].labels.at("team"), "blue");
  EXPECT_EQ(Ns(report.groups[0].totals), 4);
  EXPECT_EQ(report.groups[1].labels.at("team"), "red");
  EXPECT_EQ(Ns(report.groups[1].totals), 3);
}

TEST_F(LedgerNames, AConstantGroupIsThereFromTheFirstReportAndKeepsItsCounters) {
  ledger_.set_constant_groups({MakeGroup("daemon")});
  Living({});
  EXPECT_THAT(Groups(), ElementsAre("daemon=0"));
  const Who daemon = Process(1, 11, kLater).Named("daemon");
  Living({daemon.Has(5)});
  EXPECT_THAT(Groups(), ElementsAre("daemon=5"));
  Finish({daemon.Finished(7)});
  for (int i = 0; i < 20; ++i) {
    ledger_.NoteTold();
    Living({});
  }
  EXPECT_THAT(Groups(), ElementsAre("daemon=7"));
  EXPECT_EQ(ledger_.MakeReport().groups[0].population.processes, 0);
}

TEST_F(LedgerNames, AConstantGroupHasItsSeriesWhenOthersFillTheLimit) {
  ledger_.set_constant_groups({MakeGroup("daemon")});
  std::vector<TaskReading> living;
  for (std::uint32_t i = 1; i <= 20; ++i) {
    living.push_back(Process(i, i, kLater).Named("busy" + std::to_string(i)).Has(1000 + i));
  }
  Living({});
  Living(living);
  const Report report = ledger_.MakeReport();
  EXPECT_EQ(report.groups.size(), 10);
  EXPECT_EQ(report.groups.back().name, "daemon");
  EXPECT_EQ(report.other_groups.folded, 11);
}

TEST_F(LedgerNames, WhatIsNoMoreConstantGoesAfterItsTime) {
  ledger_.set_constant_groups({MakeGroup("daemon")});
  Living({});
  ledger_.set_constant_groups({});
  for (int i = 0; i < 5; ++i) {
    ledger_.NoteTold();
    Living({});
  }
  EXPECT_THAT(Groups(), IsEmpty());
}

TEST_F(LedgerNames, TheGroupOtherIsTheSeriesOther) {
  naming_.groups = {{"a", OtherGroup(false)}, {"b", OtherGroup(true)}};
  Living({});
  Living({Process(1, 11, kLater).Named("a").Has(3), Process(2, 12, kLater).Named("b").Has(4),
          Process(3, 13, kLater).Named("c").Has(5)});
  const Report report = ledger_.MakeReport();
  EXPECT_THAT(Groups(), ElementsAre("c=5"));
  EXPECT_TRUE(report.other_groups.present);
  EXPECT_EQ(Ns(report.other_groups.totals), 7);
  EXPECT_EQ(report.other_groups.population.processes, 2);
  // Of these, only what is dropped has no series of its own.
  ASSERT_EQ(report.processes.size(), 2);
  EXPECT_EQ(report.processes[0].pid, 11);
  EXPECT_EQ(report.processes[0].group, "other");
  EXPECT_EQ(report.processes[1].pid, 13);
  EXPECT_EQ(Ns(report.other_processes.totals), 4);
}

TEST_F(LedgerNames, FiltersFoldIntoOtherAndCanBeTakenBack) {
  naming_.unwanted = {
      {ViewKind::kGroup, "a"}, {ViewKind::kProcess, "b"}, {ViewKind::kCgroup, "/1"}};
  Living({});
  const Who a = Process(1, 11, kLater).Named("a").In(1);
  const Who b = Process(2, 12, kLater).Named("b").In(2);
  Living({a.Has(3), b.Has(4)});
  Report report = ledger_.MakeReport();
  EXPECT_THAT(Groups(), ElementsAre("b=4"));
  ASSERT_EQ(report.processes.size(), 1);
  EXPECT_EQ(report.processes[0].pid, 11);
  EXPECT_EQ(SumOf(report.cgroups), 4);
  EXPECT_EQ(Ns(report.other_cgroups.totals), 3);
  naming_.unwanted.clear();
  ledger_.NameAgain();
  Living({a.Has(13), b.Has(14)});
  report = ledger_.MakeReport();
  EXPECT_THAT(Groups(), ElementsAre("a=10", "b=14"));
  EXPECT_EQ(report.processes.size(), 2);
  EXPECT_EQ(SumOf(report.cgroups) + Ns(report.other_cgroups.totals), 27);
}

TEST_F(LedgerNames, NewNamesHoldFromThenOnAndNothingJumps) {
  Living({});
  const Who a = Process(1, 11, kLater).Named("a");
  const Who b = Process(2, 12, kLater).Named("b");
  Living({a.Has(3), b.Has(4)});
  naming_.groups["a"] = MakeGroup("renamed");
  ledger_.NameAgain();
  Living({a.Has(10), b.Has(20)});
  EXPECT_THAT(Groups(), ElementsAre("a=3", "b=20", "renamed=7"));
}

TEST_F(LedgerNames, AnEventsGroupIsBelievedBeforeTheNaming) {
  Living({});
  const Who a = Process(1, 11, kLater).Named("a");
  TaskEvent end = a.Finished(9);
  end.group = MakeGroup("told");
  Finish({end});
  EXPECT_THAT(Groups(), ElementsAre("told=9"));
}

TEST_F(LedgerNames, TellsWhenAProcessIsGone) {
  Living({});
  const Who a = Process(1, 11, kLater);
  Living({a.Has(1)});
  EXPECT_THAT(naming_.forgotten, IsEmpty());
  Finish({a.Finished(2)});
  ASSERT_EQ(naming_.forgotten.size(), 1);
  EXPECT_EQ(naming_.forgotten[0], (ProcessKey{11, kLater}));
}

TEST_F(LedgerNames, SeriesOfTheDeadWaitForSomebodyToReadThem) {
  Living({});
  const Who a = Process(1, 11, kLater).Named("a");
  Finish({a.Finished(9)});
  for (int i = 0; i < 20; ++i) {
    Living({});
  }
  EXPECT_THAT(Groups(), ElementsAre("a=9"));
  ledger_.NoteTold();
  Living({});
  EXPECT_THAT(Groups(), IsEmpty());
}

TEST_F(LedgerNames, ACgroupHasItsSeriesAsLongAsItIsThere) {
  naming_.living = {"/1"};
  Living({});
  Finish({Process(1, 11, kLater).In(1).Finished(9)});
  for (int i = 0; i < 20; ++i) {
    ledger_.NoteTold();
    Living({});
  }
  ASSERT_EQ(ledger_.MakeReport().cgroups.size(), 1);
  naming_.living.clear();
  for (int i = 0; i < 5; ++i) {
    Living({});
  }
  EXPECT_THAT(ledger_.MakeReport().cgroups, IsEmpty());
}

TEST_F(LedgerNames, WhatARemovedCgroupCountedStaysWithTheNextOneAbove) {
  naming_.paths = {{5, "/k/pod/a"}, {6, "/k/pod/b"}, {7, "/k/pod"}};
  naming_.living = {"/k", "/k/pod", "/k/pod/b"};
  Living({});
  TaskEvent exit = Process(1, 11, kLater).In(5).Finished(9);
  exit.kind = TaskEvent::Kind::kExited;
  exit.code = 3;
  Finish({exit, Process(1, 11, kLater).In(5).Finished(9), Process(2, 12, kLater).In(6).Finished(2),
          Process(3, 13, kLater).In(7).Finished(1)});
  const auto settle = [this] {
    for (int i = 0; i < 5; ++i) {
      ledger_.NoteTold();
      Living({});
      const Report report = ledger_.MakeReport();
      EXPECT_EQ(SumOf(report.cgroups) + SumOf(report.removed_cgroups), 12);
    }
  };
  settle();
  Report report = ledger_.MakeReport();
  ASSERT_EQ(report.removed_cgroups.size(), 1);
  EXPECT_EQ(report.removed_cgroups[0].name, "/k/pod");
  EXPECT_EQ(Ns(report.removed_cgroups[0].totals), 9);
  EXPECT_EQ(report.removed_cgroups[0].lifecycle.exits.at(3), 1);
  naming_.living = {"/k"};
  settle();
  report = ledger_.MakeReport();
  EXPECT_THAT(report.cgroups, IsEmpty());
  ASSERT_EQ(report.removed_cgroups.size(), 1);
  EXPECT_EQ(report.removed_cgroups[0].name, "/k");
  EXPECT_EQ(report.removed_cgroups[0].lifecycle.exits.at(3), 1);
}

TEST_F(LedgerNames, SumsMoveUpFromACgroupThatNeverHadSeries) {
  naming_.paths = {{5, "/k/pod/a"}};
  naming_.living = {"/k", "/k/pod"};
  Living({});
  Finish({Process(1, 11, kLater).In(5).Finished(9)});
  for (const std::string above : {"/k/pod", "/k", "/"}) {
    for (int i = 0; i < 5; ++i) {
      ledger_.NoteTold();
      Living({});
    }
    const Report report = ledger_.MakeReport();
    EXPECT_THAT(report.cgroups, IsEmpty());
    ASSERT_EQ(report.removed_cgroups.size(), 1);
    EXPECT_EQ(report.removed_cgroups[0].name, above);
    EXPECT_EQ(Ns(report.removed_cgroups[0].totals), 9);
    naming_.living.erase(above);
  }
}

TEST_F(LedgerNames, WhatAFoldedCgroupCountedStaysInTheSum) {
  naming_.paths = {{5, "/a"}, {6, "/b"}};
  naming_.living = {"/a", "/b"};
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  const Who b = Process(2, 12, kLater).In(6);
  Living({a.Has(100), b.Has(60)});
  EXPECT_EQ(SumNow(), 160);
  Living({a.Has(100), b.Has(120)});
  EXPECT_EQ(SumNow(), 220);
  Living({a.Has(500), b.Has(120)});
  EXPECT_EQ(SumNow(), 620);
  EXPECT_EQ(Ns(ledger_.MakeReport().cgroups.at(0).totals), 400) << "/a begins anew";
}

TEST_F(LedgerNames, ASeriesThatOnlyWentBetweenTwoReportsGoesOn) {
  naming_.paths = {{5, "/a"}, {6, "/b"}};
  naming_.living = {"/a", "/b"};
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  const Who b = Process(2, 12, kLater).In(6);
  Living({a.Has(100), b.Has(60)});
  EXPECT_EQ(SumNow(), 160);
  Living({a.Has(100), b.Has(120)});
  Living({a.Has(300), b.Has(120)});
  EXPECT_EQ(SumNow(), 420);
  EXPECT_EQ(Ns(ledger_.MakeReport().cgroups.at(0).totals), 300);
}

TEST_F(LedgerNames, WhatAFilteredCgroupCountedStaysInTheSum) {
  naming_.paths = {{5, "/a"}};
  naming_.living = {"/a"};
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  Living({a.Has(100)});
  EXPECT_EQ(SumNow(), 100);
  naming_.unwanted = {{ViewKind::kCgroup, "/a"}};
  ledger_.NameAgain();
  Living({a.Has(101)});
  EXPECT_EQ(SumNow(), 101);
}

TEST_F(LedgerNames, ManyCgroupsThatComeAndGoBeyondTheLimitLoseNothing) {
  limits_.cgroups = 3;
  ledger_.set_limits(limits_);
  Living({});
  std::uint64_t last = 0;
  for (std::uint32_t i = 1; i < 60; ++i) {
    naming_.living = {"/k"};
    std::vector<TaskReading> all;
    for (std::uint32_t j = i > 8 ? i - 8 : 1; j <= i; ++j) {
      naming_.paths[j] = "/k/" + std::to_string(j);
      naming_.living.insert(naming_.paths[j]);
      all.push_back(Process(j, 100 + j, kLater + j).In(j).Has(10 * (i - j + 1)));
    }
    Living(all);
    if (i % 3 == 0) {
      const std::uint64_t sum = SumNow();
      EXPECT_GE(sum, last);
      last = sum;
    }
  }
}

TEST_F(LedgerNames, AChangeOfTheUserOrThePlaceAsksForTheGroupAgain) {
  Living({});
  const Who a = Process(1, 11, kLater).Named("a").In(1);
  TaskReading reading = a.Has(3);
  Living({reading});
  naming_.groups["a"] = MakeGroup("of another user");
  Living({a.Has(4)});
  EXPECT_THAT(Groups(), ElementsAre("a=4"));
  reading = a.Has(4);
  reading.identity.uid = 33;
  Living({reading});
  reading.figures.run_ns = 9;
  Living({reading});
  EXPECT_THAT(Groups(), ElementsAre("a=4", "of another user=5"));
}

TEST_F(LedgerNames, ParentsAreNamedBeforeTheirChildren) {
  std::vector<TaskReading> living;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    living.push_back(Process(i, 1'000 - i, kLater + i).Has(1));
  }
  Living({});
  Living(living);
  naming_.asked.clear();
  ledger_.NameAgain();
  EXPECT_EQ(naming_.asked.size(), 100);
  EXPECT_TRUE(std::is_sorted(naming_.asked.begin(), naming_.asked.end()));
}

TEST_F(LedgerNames, AnIdThatIsUsedAgainIsAnotherCgroup) {
  naming_.paths = {{5, "/old"}};
  Living({});
  Finish({Process(1, 11, kLater).In(5).Finished(9)});
  Living({});
  naming_.paths = {{5, "/new"}};
  Finish({Process(2, 12, kLater).In(5).Finished(4)});
  const Report report = ledger_.MakeReport();
  ASSERT_EQ(report.cgroups.size(), 2);
  EXPECT_EQ(report.cgroups[0].name, "/new");
  EXPECT_EQ(Ns(report.cgroups[0].totals), 4);
  EXPECT_EQ(Ns(report.cgroups[1].totals), 9);
}

}  // namespace
}  // namespace sched_exporter
