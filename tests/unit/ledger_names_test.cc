// Groups with labels, without series of their own, and with series for ever; names that change.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/support/told_naming.h"

namespace sched_exporter {
namespace {

using test_support::LedgerNames;
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

}  // namespace
}  // namespace sched_exporter
