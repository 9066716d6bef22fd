// Identity: pids and addresses that are used again, exec by threads, tasks that are missing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::LedgerTest;
using test_support::Process;
using test_support::Thread;
using test_support::Who;
using testing::ElementsAre;

class LedgerHazards : public LedgerTest {
 protected:
  /// `thread` after exec: it has its leader's pid and start time.
  static Who Execed(const Who& thread, const Who& leader) {
    Who who = leader;
    who.key = thread.key;
    return who;
  }
  /// The leader that another thread's exec has replaced.
  static Who Replaced(const Who& leader, const Who& by) {
    Who who = leader;
    who.pid = by.pid;
    return who;
  }
};

TEST_F(LedgerHazards, APidThatIsUsedAgainIsAnotherProcess) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x2000, 10, kLater + 50).Named("second");
  ApplyNothing(1);
  Living({first.Has(100)});
  Events({first.Finished(110)}, {}, {second.Has(5)});
  EXPECT_EQ(GroupNs("app"), 110);
  EXPECT_EQ(GroupNs("second"), 5);
  EXPECT_EQ(ProcessNs(10), 5);
}

TEST_F(LedgerHazards, ASeriesOfTheSameLabelsGoesOnWhereItsFormerProcessEnded) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x2000, 10, kLater + 50);
  ApplyNothing(1);
  Living({first.Has(100)});
  Events({first.Finished(110)}, {}, {second.Has(5)});
  EXPECT_EQ(ProcessNs(10), 105);
}

TEST_F(LedgerHazards, OnePidIsOneSeriesThoughItsFormerOwnerIsOnItsWayOut) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x2000, 10, kLater + 50);
  ApplyNothing(1);
  Living({first.Has(100)});
  Living({second.Has(5)});
  EXPECT_THAT(Pids(), ElementsAre(10));
  Events({first.Finished(120)}, {}, {second.Has(6)});
  EXPECT_THAT(Pids(), ElementsAre(10));
  EXPECT_EQ(GroupNs("app"), 126);
}

TEST_F(LedgerHazards, AnAddressThatIsUsedAgainIsAnotherTask) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x1000, 20, kLater + 50);
  ApplyNothing(1);
  Living({first.Has(100)});
  Events({first.Finished(110)}, {first.Has(105)}, {second.Has(5)});
  EXPECT_EQ(GroupNs("app"), 115);
  Living({second.Has(200)});
  EXPECT_EQ(GroupNs("app"), 310);
}

TEST_F(LedgerHazards, AnAddressThatIsUsedAgainWithoutAnyEndIsAnotherTask) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x1000, 20, kLater + 50);
  ApplyNothing(1);
  Living({first.Has(100)});
  Living({second.Has(5)});
  EXPECT_EQ(GroupNs("app"), 105);
  Living({second.Has(200)});
  EXPECT_EQ(GroupNs("app"), 300);
}

TEST_F(LedgerHazards, ARecordOfAFormerOwnerOfTheAddressIsIgnored) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x1000, 20, kLater + 50);
  ApplyNothing(1);
  Living({second.Has(5)});
  Events({}, {first.Has(900)}, {second.Has(6)});
  EXPECT_EQ(GroupNs("app"), 6);
}

TEST_F(LedgerHazards, AStaleRecordOfAThreadIsIgnoredThoughItsProcessIsTheSame) {
  const Who leader = Process(0x1000, 10, kPast);
  const Who first = Thread(leader, 0x2000, 11, kLater);
  const Who second = Thread(leader, 0x2000, 12, kLater + 50);
  Living({leader.Has(1)});
  Living({leader.Has(1), second.Has(5)});
  for (int i = 0; i < 3; ++i) {
    Events({}, {first.Has(900)}, {leader.Has(1), second.Has(6)});
  }
  EXPECT_EQ(GroupNs("app"), 6);
}

TEST_F(LedgerHazards, AThreadThatExecsKeepsItsOwnFigures) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater + 9);
  ApplyNothing(1);
  Living({leader.Has(5000), thread.Has(100)});
  // The former leader's end is told under the thread's former pid.
  Events({Replaced(leader, thread).Finished(5001)}, {}, {Execed(thread, leader).Has(150)});
  EXPECT_EQ(GroupNs("app"), 5001 + 150);
  EXPECT_THAT(Pids(), ElementsAre(10));
  EXPECT_EQ(ProcessNs(10), 5151);
}

TEST_F(LedgerHazards, TheEndOfTheReplacedLeaderMayComeLater) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater + 9);
  ApplyNothing(1);
  Living({leader.Has(5000), thread.Has(100)});
  Living({Execed(thread, leader).Has(150)});
  Events({Replaced(leader, thread).Finished(5001)}, {}, {Execed(thread, leader).Has(160)});
  EXPECT_EQ(GroupNs("app"), 5001 + 160);
  EXPECT_EQ(ledger_.task_count(), 1);
}

TEST_F(LedgerHazards, AnEntryFromBeforeTheExecIsNotANewTask) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater + 9);
  const Who execed = Execed(thread, leader);
  ApplyNothing(1);
  Living({leader.Has(50), thread.Has(100)});
  Events({leader.Finished(50)}, {thread.Has(100)}, {execed.Has(150)});
  // It has not switched since: the hash still has the former entry.
  Events({}, {thread.Has(100)}, {execed.Has(190)});
  Events({execed.In(2).MovedFrom(1, 200)}, {thread.Has(100)}, {execed.In(2).Has(210)});
  EXPECT_EQ(GroupNs("app"), 50 + 210);
}

TEST_F(LedgerHazards, AnEntryFromBeforeTheExecIsIgnoredAfterTheEnd) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater + 9);
  ApplyNothing(1);
  Events({leader.Finished(50), Execed(thread, leader).Finished(300)}, {thread.Has(100)});
  EXPECT_EQ(GroupNs("app"), 350);
  EXPECT_EQ(ledger_.task_count(), 0);
}

TEST_F(LedgerHazards, ThreadsMayExecOneAfterTheOther) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who first = Thread(leader, 0x2000, 11, kLater + 9);
  const Who second = Thread(leader, 0x3000, 12, kLater + 19);
  ApplyNothing(1);
  Living({leader.Has(10), first.Has(100)});
  // Between two sweeps both have called exec: the first is a replaced leader at its end.
  Events({leader.Finished(10), Replaced(Execed(first, leader), second).Finished(120)}, {},
         {Execed(second, leader).Has(7)});
  EXPECT_EQ(GroupNs("app"), 10 + 120 + 7);
}

TEST_F(LedgerHazards, AYoungThreadThatExecsInAnOldProcessCountsFromZero) {
  const Who leader = Process(0x1000, 10, kPast);
  const Who thread = Thread(leader, 0x2000, 11, kLater);
  Living({leader.Has(5000)});
  // Nobody met the thread before its exec, and its start time now is its leader's.
  Events({leader.Finished(5000)}, {}, {Execed(thread, leader).Has(33)});
  EXPECT_EQ(GroupNs("app"), 33);
}

TEST_F(LedgerHazards, AnOldLeaderThatTheSeedCouldNotReadPoursNoPast) {
  const Who leader = Process(0x1000, 10, kPast);
  const Who thread = Thread(leader, 0x2000, 11, kPast + 5);
  Snapshot seed;
  seed.living = {thread.Has(1)};
  seed.living_keys = {leader.key};  // its entry was being written
  Apply(seed);
  Events({}, {leader.Has(777'000), thread.Has(1)});
  EXPECT_EQ(GroupNs("app"), 0);
  Events({}, {leader.Has(777'003), thread.Has(1)});
  EXPECT_EQ(GroupNs("app"), 3);
}

TEST_F(LedgerHazards, TheLeaderMayFinishFirst) {
  const Who leader = Process(0x1000, 10, kLater);
  const Who thread = Thread(leader, 0x2000, 11, kLater + 9);
  ApplyNothing(1);
  Living({leader.Has(10), thread.Has(10)});
  Events({leader.Finished(11)}, {}, {thread.Has(50)});
  Living({thread.Has(90)});
  EXPECT_THAT(Pids(), ElementsAre(10));
  EXPECT_EQ(ProcessNs(10), 101);
  Events({thread.Finished(100)});
  EXPECT_EQ(GroupNs("app"), 111);
  EXPECT_EQ(ledger_.process_count(), 0);
}

TEST_F(LedgerHazards, ATaskThatIsMissingForAWhileGoesOn) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(10)});
  ApplyNothing(99);
  Living({task.Has(25)});
  EXPECT_EQ(GroupNs("app"), 25);
}

TEST_F(LedgerHazards, TheEndOfAMissingTaskMayComeLate) {
  const Who task = Process(0x1000, 10, kLater);
  ApplyNothing(1);
  Living({task.Has(10)});
  ApplyNothing(50);
  Events({task.Finished(25)});
  EXPECT_EQ(GroupNs("app"), 25);
  EXPECT_EQ(ledger_.task_count(), 0);
}

TEST_F(LedgerHazards, ATaskThatNobodyTellsOfIsForgottenAfterAHundredSweeps) {
  ApplyNothing(1);
  Living({Process(0x1000, 10, kLater).Has(10)});
  ApplyNothing(99);
  EXPECT_EQ(ledger_.task_count(), 1);
  ApplyNothing(1);
  EXPECT_EQ(ledger_.task_count(), 0);
  EXPECT_EQ(ledger_.process_count(), 0);
}

}  // namespace
}  // namespace sched_exporter
