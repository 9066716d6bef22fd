// What is counted where, with hand-written snapshots: births, deaths, moves, names, populations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::LedgerTest;
using test_support::MakeComm;
using test_support::Process;
using test_support::Thread;
using test_support::Who;
using testing::ElementsAre;
using testing::IsEmpty;

class LedgerBooks : public LedgerTest {};

TEST_F(LedgerBooks, ThePastIsNotPoured) {
  const Who old = Process(0x1000, 10, kPast);
  Living({old.Has(500 * kSecond)});
  EXPECT_EQ(AllGroupsNs(), 0);
  EXPECT_EQ(ProcessNs(10), 0);
  EXPECT_THAT(Pids(), ElementsAre(10));
}

TEST_F(LedgerBooks, TheSeedCountsNothingThoughItsRecordsDiffer) {
  const Who old = Process(0x1000, 10, kPast);
  Snapshot seed;
  seed.events = {old.MovedFrom(2, 100)};
  seed.switched = {old.Has(200)};
  seed.living = {old.Has(300)};
  Apply(seed);
  EXPECT_EQ(AllGroupsNs(), 0);
  Living({old.Has(301)});
  EXPECT_EQ(GroupNs("app"), 1);
}

TEST_F(LedgerBooks, ASleeperThatWakesAnHourLaterAddsOnlyWhatIsNew) {
  const Who sleeper = Process(0x1000, 10, kPast);
  Living({sleeper.Has(77 * kSecond)});
  Snapshot asleep;
  asleep.living_keys = {sleeper.key};
  for (int i = 0; i < 3600; ++i) {
    Apply(asleep);
  }
  Events({}, {sleeper.Has(77 * kSecond + 5)});
  EXPECT_EQ(GroupNs("app"), 5);
}

TEST_F(LedgerBooks, ATaskThatIsOnItsWayOutAtTheSeedPoursNoPast) {
  ApplyNothing(1);
  Events({Process(0x1000, 10, kPast).Finished(500 * kSecond)});
  EXPECT_EQ(AllGroupsNs(), 0);
}

TEST_F(LedgerBooks, ATaskBornAfterTheSeedCountsFromZero) {
  ApplyNothing(1);
  Living({Process(0x1000, 10, kLater).Has(40)});
  EXPECT_EQ(GroupNs("app"), 40);
  EXPECT_EQ(CgroupNs("/1"), 40);
  EXPECT_EQ(ProcessNs(10), 40);
}

TEST_F(LedgerBooks, ATaskThatOnlyItsEndTellsOfCounts) {
  ApplyNothing(1);
  Events({Process(0x1000, 10, kLater).Finished(7)});
  EXPECT_EQ(GroupNs("app"), 7);
  EXPECT_EQ(CgroupNs("/1"), 7);
  EXPECT_THAT(Pids(), IsEmpty());
  EXPECT_EQ(RunNs(ledger_.MakeReport().other_processes.totals), 7);
}

TEST_F(LedgerBooks, EveryFigureIsCarriedThrough) {
  ApplyNothing(1);
  TaskReading reading = Process(0x1000, 10, kLater).Has(10);
  reading.figures = {10, 20, 30, 40, 50, 60, 4, 1};
  Living({reading});
  const NamedRow row = ledger_.MakeReport().groups.at(0);
  EXPECT_EQ(row.totals.user_ns, 8);
  EXPECT_EQ(row.totals.system_ns, 2);
  EXPECT_EQ(row.totals.wait_ns, 20);
  EXPECT_EQ(row.totals.timeslices, 30);
  EXPECT_EQ(row.totals.voluntary_switches, 40);
  EXPECT_EQ(row.totals.involuntary_switches, 50);
  EXPECT_EQ(row.totals.migrations, 60);
}

TEST_F(LedgerBooks, WaitingAloneCounts) {
  ApplyNothing(1);
  TaskReading reading = Process(0x1000, 10, kLater).Has(0);
  reading.figures.wait_ns = 9;
  Living({reading});
  EXPECT_EQ(ledger_.MakeReport().groups.at(0).totals.wait_ns, 9);
}

TEST_F(LedgerBooks, AReadingOlderThanTheEndOfItsTaskIsIgnored) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Events({task.Finished(100)}, {task.Has(60)}, {task.Has(70)});
  EXPECT_EQ(GroupNs("app"), 100);
  EXPECT_EQ(ledger_.task_count(), 0);
}

TEST_F(LedgerBooks, AMoveSplitsWhatTheTaskUsed) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(100)});
  Events({task.In(2).MovedFrom(1, 130)}, {task.In(2).Has(150)});
  EXPECT_EQ(CgroupNs("/1"), 130);
  EXPECT_EQ(CgroupNs("/2"), 20);
}

TEST_F(LedgerBooks, AProcessThatSleepsIsWhereItWasMoved) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(100)});
  Events({task.In(2).MovedFrom(1, 100)}, {}, {task.In(2).Has(100)});
  ASSERT_EQ(ledger_.MakeReport().processes.size(), 1U);
  EXPECT_EQ(ledger_.MakeReport().processes[0].cgroup, "/2");
}

TEST_F(LedgerBooks, ReadingsOlderThanAMoveNeitherCountNorTakeTheTaskBack) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(100)});
  // The walk was before the move; the second time nothing ran between the two.
  Events({task.In(2).MovedFrom(1, 130)}, {task.Has(120)});
  Events({task.In(3).MovedFrom(2, 140)}, {task.In(2).Has(140)});
  Events({task.In(4).MovedFromGuess(9, 145)});
  EXPECT_EQ(CgroupNs("/1"), 130);
  EXPECT_EQ(CgroupNs("/2"), 10);
  EXPECT_EQ(CgroupNs("/3"), 5);
  EXPECT_EQ(CgroupNs("/9"), 0);
}

TEST_F(LedgerBooks, SeveralMovesInOneSweepEachCountWhereTheTaskWas) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Events({task.In(2).MovedFrom(1, 10), task.In(3).MovedFrom(2, 30), task.In(1).MovedFrom(3, 60)},
         {}, {task.Has(100)});
  EXPECT_EQ(CgroupNs("/1"), 10 + 40);
  EXPECT_EQ(CgroupNs("/2"), 20);
  EXPECT_EQ(CgroupNs("/3"), 30);
}

TEST_F(LedgerBooks, AGuessCountsOnlyForTasksThatNobodyKnows) {
  const Who known = Process(0x1000, 10, kLater);
  const Who unknown = Process(0x2000, 20, kLater);
  ApplyNothing(1);
  Living({known.Has(0)});
  Events({known.In(2).MovedFromGuess(7, 5), unknown.In(2).MovedFromGuess(8, 6)});
  EXPECT_EQ(CgroupNs("/1"), 5);
  EXPECT_EQ(CgroupNs("/7"), 0);
  EXPECT_EQ(CgroupNs("/8"), 6);
}

TEST_F(LedgerBooks, AMoveWithoutAnEventCountsByTheEntryOfTheHash) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater);
  ApplyNothing(1);
  // The thread slept when its process was moved: only its next switch will tell.
  Events({}, {thread.Has(50)}, {thread.In(2).Has(50)});
  Events({thread.In(2).MovedFrom(1, 50)}, {thread.In(2).Has(80)});
  EXPECT_EQ(CgroupNs("/1"), 50);
  EXPECT_EQ(CgroupNs("/2"), 30);
}

TEST_F(LedgerBooks, TwoCgroupIdsWithOnePathAreOneSeries) {
  ApplyNothing(1);
  Living({Process(0x1000, 10, kLater).In(100).Has(5), Process(0x2000, 20, kLater).In(101).Has(6)});
  EXPECT_EQ(CgroupNs("/same"), 11);
  EXPECT_EQ(ledger_.MakeReport().cgroups.size(), 1);
}

TEST_F(LedgerBooks, ARenamedProcessGoesOnInItsNewGroup) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(10)});
  // The hash has the name of when its entry was made, the iterator that of this moment.
  Events({}, {task.Has(25)}, {task.Named("new").Has(30)});
  EXPECT_EQ(GroupNs("app"), 10);
  EXPECT_EQ(GroupNs("new"), 20);
  EXPECT_EQ(ledger_.MakeReport().processes.at(0).comm, "new");
}

TEST_F(LedgerBooks, AnEndUnderANewNameCountsThere) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(10)});
  Events({task.Named("new").Finished(30)});
  EXPECT_EQ(GroupNs("app"), 10);
  EXPECT_EQ(GroupNs("new"), 20);
}

TEST_F(LedgerBooks, PopulationsAreOfTheLiving) {
  const Who leader = Process(0x1000, 10, kPast);
  const Who thread = Thread(leader, 0x2000, 11, kPast + 5);
  const Who second = Process(0x3000, 20, kPast + 9).In(2);
  const Who third = Process(0x4000, 30, kPast - 9).Named("tool");
  Living({leader.Has(1), thread.In(2).Has(1), second.Has(1), third.Has(1)});
  const Report report = ledger_.MakeReport();
  EXPECT_EQ(report.tasks, 4);
  const Population app = Find(report.groups, "app")->population;
  EXPECT_EQ(app.threads, 3);
  EXPECT_EQ(app.processes, 2);
  EXPECT_EQ(app.oldest_start_ns, kPast);
  EXPECT_EQ(Find(report.groups, "tool")->population.oldest_start_ns, kPast - 9);
  EXPECT_EQ(Find(report.cgroups, "/2")->population.threads, 2);
  EXPECT_EQ(Find(report.cgroups, "/2")->population.processes, 1);
  EXPECT_EQ(report.processes.at(0).population.threads, 2);
  EXPECT_EQ(report.processes.at(0).population.oldest_start_ns, kPast);
}

TEST_F(LedgerBooks, AKeyOfTheIteratorIsEnoughToLive) {
  const Who task = Process(0x1000, 10, kPast);
  Living({task.Has(1)});
  Snapshot snapshot;
  snapshot.switched = {task.Has(2)};
  snapshot.living_keys = {task.key, 0x9999};
  Apply(snapshot);
  EXPECT_EQ(ledger_.MakeReport().tasks, 1);
  snapshot.living_keys.clear();
  Apply(snapshot);
  EXPECT_EQ(ledger_.MakeReport().tasks, 0);
  EXPECT_EQ(ledger_.MakeReport().processes.at(0).population.oldest_start_ns, kPast);
}

TEST_F(LedgerBooks, AGroupStaysAtZeroProcessesUntilItIsDeadLongEnough) {
  ledger_.set_limits({10, 10, 10, 10, 3 * kSecond});
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(5)});
  Events({task.Finished(8)});
  ApplyNothing(2);
  EXPECT_EQ(GroupNs("app"), 8);
  EXPECT_EQ(Find(ledger_.MakeReport().groups, "app")->population.processes, 0);
  ApplyNothing(1);
  EXPECT_THAT(ledger_.MakeReport().groups, IsEmpty());
  EXPECT_THAT(ledger_.MakeReport().cgroups, IsEmpty());
}

TEST_F(LedgerBooks, WithoutPatienceForTheDeadNothingIsLostOrMixedUp) {
  ledger_.set_limits({10, 10, 10, 10, 0});
  ApplyNothing(1);
  // Cgroup 1 is used and gone within a sweep; the next one takes over its place in the view.
  Events({Process(0x1000, 10, kLater).Finished(5)});
  EXPECT_EQ(CgroupNs("/1"), 5);
  ApplyNothing(1);
  EXPECT_THAT(ledger_.MakeReport().cgroups, IsEmpty());
  Events({Process(0x2000, 20, kLater).In(2).Finished(6)}, {},
         {Process(0x3000, 30, kLater).In(1).Has(7)});
  EXPECT_EQ(CgroupNs("/1"), 7);
  EXPECT_EQ(CgroupNs("/2"), 6);
  EXPECT_EQ(RunNs(ledger_.MakeReport().removed_cgroups.at(0).totals), 5);
}

TEST_F(LedgerBooks, ADeadProcessGoesAtOnceAndItsLastAdditionIsInOther) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(5)});
  Events({task.Finished(9)});
  EXPECT_THAT(Pids(), IsEmpty());
  EXPECT_EQ(RunNs(ledger_.MakeReport().other_processes.totals), 4);
}

TEST_F(LedgerBooks, WhatRunsNowIsInTheBooksOfItsCpu) {
  const Who task = Process(0x1000, 10, kPast);
  Snapshot snapshot;
  snapshot.living = {task.Has(1000)};
  snapshot.cpus = {{0, task.key, 900, 50, 0}, {1, 0, 0, 70, 0}};
  Apply(snapshot);
  EXPECT_EQ(ledger_.MakeReport().cpus.at(0).busy_ns, 0);
  snapshot.living = {task.Has(1300)};
  snapshot.cpus = {{0, task.key, 900, 50, 2}, {1, 0, 0, 75, 0}};
  Apply(snapshot);
  EXPECT_EQ(ledger_.MakeReport().cpus.at(0).busy_ns, 300);
  EXPECT_EQ(ledger_.MakeReport().cpus.at(0).missed_switches, 2);
  EXPECT_EQ(ledger_.MakeReport().cpus.at(1).busy_ns, 5);
  // The reading of a former owner of the address is not what runs.
  snapshot.living.clear();
  snapshot.cpus = {{0, task.key, 0, 450, 2}, {1, 0, 0, 75, 0}};
  Apply(snapshot);
  EXPECT_EQ(ledger_.MakeReport().cpus.at(0).busy_ns, 450 - 150);
}

}  // namespace
}  // namespace sched_exporter
