#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::MakeComm;
using test_support::Process;
using test_support::Thread;
using test_support::Who;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Kind = TaskEvent::Kind;

TaskEvent Event(Kind kind, const Who& who, std::uint64_t run_ns = 0, std::uint32_t code = 0) {
  TaskEvent event = who.Finished(run_ns);
  event.kind = kind;
  event.code = code;
  event.time_ns = who.leader_start_ns + kSecond;
  return event;
}

TaskEvent Forked(const Who& parent, const Who& child, Kind kind = Kind::kForked) {
  TaskEvent event = Event(kind, child);
  event.origin.tgid = parent.tgid;
  event.origin.leader_start_ns = parent.leader_start_ns;
  event.origin.cgroup_id = parent.cgroup;
  event.origin.comm = MakeComm(parent.comm);
  return event;
}

TaskEvent Running(TaskEvent event, const std::string& file) {
  auto image = std::make_shared<ProgramImage>();
  image->file = file;
  event.image = image;
  return event;
}

LostCount Lost(Kind kind, std::uint64_t cgroup, const std::string& comm, std::uint64_t count,
               std::uint32_t code = 0) {
  LostCount lost;
  lost.kind = kind;
  lost.cgroup_id = cgroup;
  lost.comm = MakeComm(comm);
  lost.count = count;
  lost.code = code;
  return lost;
}

/// Groups are the files that processes run, or their comms.
class FileNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override {
    return MakeGroup(image == nullptr ? std::string(identity.comm.data()) : image->file);
  }
  std::string CgroupPath(std::uint64_t id) override { return "/" + std::to_string(id); }
};

class LedgerLifecycle : public test_support::LedgerTest {
 protected:
  LedgerLifecycle() { ApplyNothing(1); }

  Lifecycle Group(const std::string& name) const {
    const Report report = ledger_.MakeReport();
    const NamedRow* row = Find(report.groups, name);
    return row == nullptr ? Lifecycle{} : row->lifecycle;
  }
  Lifecycle Cgroup(const std::string& path) const {
    const Report report = ledger_.MakeReport();
    const NamedRow* row = Find(report.cgroups, path);
    return row == nullptr ? Lifecycle{} : row->lifecycle;
  }
  void Losses(const std::vector<LostCount>& lost) {
    Snapshot snapshot;
    snapshot.lost_counts = lost;
    Apply(snapshot);
  }

  const Who shell_ = Process(0x1000, 10, kPast).Named("shell");
  const Who child_ = Process(0x2000, 20, kLater).Named("shell").In(2);
};

TEST_F(LedgerLifecycle, AForkIsItsCallersAndAnExecIsOfTheNewName) {
  const Who now = child_.Named("true");
  Events({Forked(shell_, child_), Event(Kind::kExecuted, now), Event(Kind::kExited, now, 0, 3),
          now.Finished(50)});
  EXPECT_EQ(Group("shell").forks, 1);
  EXPECT_EQ(Cgroup("/1").forks, 1);
  EXPECT_EQ(Cgroup("/2").forks, 0);
  EXPECT_EQ(Group("shell").execs, 0);
  EXPECT_EQ(Group("true").execs, 1);
  EXPECT_EQ(Cgroup("/2").execs, 1);
  EXPECT_THAT(Group("true").exits, ElementsAre(Pair(3, 1)));
  EXPECT_THAT(Cgroup("/2").exits, ElementsAre(Pair(3, 1)));
  EXPECT_EQ(Group("true").lifetimes.sum_ns, kSecond);
  EXPECT_EQ(Group("true").lifetimes.buckets[Lifetimes::BucketOf(kSecond)], 1);
}

TEST_F(LedgerLifecycle, ThreadsAreNotProcesses) {
  const Who thread = Thread(shell_, 0x1100, 11, kLater);
  Events({Forked(shell_, thread, Kind::kThreadStarted), thread.Finished(5)});
  EXPECT_EQ(Group("shell").thread_starts, 1);
  EXPECT_EQ(Group("shell").forks, 0);
  EXPECT_THAT(Group("shell").exits, IsEmpty());
}

TEST_F(LedgerLifecycle, WhatWasUsedBeforeExecIsOfTheFormerName) {
  const Who now = child_.Named("true");
  Events({Forked(shell_, child_), Event(Kind::kExecuted, now, 30), now.Finished(100)});
  EXPECT_EQ(GroupNs("shell"), 30);
  EXPECT_EQ(GroupNs("true"), 70);
}

TEST_F(LedgerLifecycle, AnExecByAThreadTakesItsLeadersPlace) {
  const Who leader = Process(0x2000, 20, kLater).Named("multi");
  const Who thread = Thread(leader, 0x2100, 21, kLater + 1);
  Who executed = leader.Named("next");
  executed.key = thread.key;
  Events({}, {}, {leader.Has(10), thread.Has(20)});
  Events({leader.Finished(15), Event(Kind::kExecuted, executed, 25), executed.Finished(40)});
  EXPECT_EQ(GroupNs("multi"), 15 + 25);
  EXPECT_EQ(GroupNs("next"), 40 - 25);
  EXPECT_EQ(Group("next").execs, 1);
}

TEST_F(LedgerLifecycle, AnExecAtTheAddressOfATaskWhoseEndWasLostCounts) {
  const Who dead = Process(0x2000, 20, kLater + 5).Named("dead");
  Events({}, {}, {dead.Has(10)});
  // A thread of an older process, at the same address, has taken its leader's start.
  const Who executed = Process(0x2000, 10, kPast).Named("next");
  Events({Event(Kind::kExecuted, executed, 5), executed.Finished(40)});
  EXPECT_EQ(Group("next").execs, 1);
}

TEST_F(LedgerLifecycle, ErrnosThatNobodyKnowsShareASeries) {
  Events({Event(Kind::kExecFailed, shell_, 0, 4000), Event(Kind::kExecFailed, shell_, 0, 4001)});
  EXPECT_THAT(Group("shell").exec_failures, ElementsAre(Pair(kOtherCode, 2)));
  EXPECT_THAT(ledger_.MakeReport().exec_failures, ElementsAre(Pair(kOtherCode, 2)));
}

TEST_F(LedgerLifecycle, FailedExecsAreTheCallersAndTheHosts) {
  Events({Event(Kind::kExecFailed, shell_, 0, ENOENT), Event(Kind::kExecFailed, shell_, 0, EACCES),
          Event(Kind::kExecFailed, shell_, 0, ENOENT)});
  EXPECT_THAT(Group("shell").exec_failures, ElementsAre(Pair(ENOENT, 2), Pair(EACCES, 1)));
  EXPECT_THAT(Cgroup("/1").exec_failures, ElementsAre(Pair(ENOENT, 2), Pair(EACCES, 1)));
  EXPECT_THAT(ledger_.MakeReport().exec_failures, ElementsAre(Pair(ENOENT, 2), Pair(EACCES, 1)));
}

TEST_F(LedgerLifecycle, AnOomKillIsCountedForItsCgroup) {
  Events({Event(Kind::kOomKilled, child_), Event(Kind::kExited, child_, 0, kSignalBase + 9)});
  EXPECT_EQ(Cgroup("/2").oom_kills, 1);
  EXPECT_EQ(Group("shell").oom_kills, 1);
  EXPECT_EQ(Cgroup("/1").oom_kills, 0);
}

TEST_F(LedgerLifecycle, WhatHadNoEventIsCountedByNameAndCgroup) {
  LostCount exits = Lost(Kind::kExited, 2, "true", 7, 1);
  exits.lifetimes.Add(5);
  Losses({Lost(Kind::kForked, 1, "shell", 4), exits, Lost(Kind::kExecFailed, 1, "shell", 3, ENOENT),
          Lost(Kind::kExecuted, 2, "true", 2), Lost(Kind::kThreadStarted, 1, "shell", 5),
          Lost(Kind::kOomKilled, 2, "true", 1)});
  EXPECT_EQ(Group("shell").forks, 4);
  EXPECT_EQ(Group("shell").thread_starts, 5);
  EXPECT_EQ(Group("true").execs, 2);
  EXPECT_EQ(Cgroup("/2").oom_kills, 1);
  EXPECT_THAT(Cgroup("/2").exits, ElementsAre(Pair(1, 7)));
  EXPECT_EQ(Group("true").lifetimes.sum_ns, 5);
  EXPECT_THAT(ledger_.MakeReport().exec_failures, ElementsAre(Pair(ENOENT, 3)));
}

TEST_F(LedgerLifecycle, WhatHasNoNameEitherIsInOther) {
  LostCount exits = Lost(Kind::kExited, 0, "", 7, 1);
  exits.has_owner = false;
  Losses({exits});
  const Report report = ledger_.MakeReport();
  EXPECT_TRUE(report.other_groups.present);
  EXPECT_THAT(report.other_groups.lifecycle.exits, ElementsAre(Pair(1, 7)));
  EXPECT_THAT(report.other_cgroups.lifecycle.exits, ElementsAre(Pair(1, 7)));
  EXPECT_THAT(report.groups, IsEmpty());
}

TEST_F(LedgerLifecycle, FoldedMembersCountInOtherAndNothingTwice) {
  ledger_.set_limits({10, 1, 10, 10, 300 * kSecond});
  const Who big = Process(0x3000, 30, kPast).Named("big");
  Living({big.Has(0), shell_.Has(0)});
  Living({big.Has(1000), shell_.Has(10)});
  Events({Forked(shell_, child_), Forked(big, child_)}, {}, {big.Has(1000), shell_.Has(10)});
  EXPECT_EQ(Group("big").forks, 1);
  EXPECT_EQ(ledger_.MakeReport().other_groups.lifecycle.forks, 1);
  Living({big.Has(1000), shell_.Has(5000)});  // now the shell is the one that is shown
  Events({Forked(shell_, child_)}, {}, {big.Has(1000), shell_.Has(5000)});
  EXPECT_EQ(Group("shell").forks, 1);
  EXPECT_EQ(ledger_.MakeReport().other_groups.lifecycle.forks, 1);
}

TEST_F(LedgerLifecycle, CodesBeyondTheLimitShareASeries) {
  ledger_.set_limits({10, 10, 10, 2, 300 * kSecond});
  std::vector<TaskEvent> events;
  for (std::uint32_t code = 0; code < 5; ++code) {
    events.push_back(Event(Kind::kExited, child_, 0, code));
  }
  Events(events);
  Events(events);
  EXPECT_THAT(Group("shell").exits, ElementsAre(Pair(0, 2), Pair(1, 2), Pair(kOtherCode, 6)));
}

TEST_F(LedgerLifecycle, SeriesOfTheDeadMakeRoomForCodes) {
  ledger_.set_limits({10, 10, 10, 1, 2 * kSecond});
  Events({Event(Kind::kExited, child_, 0, 4), child_.Finished(1)});
  ApplyNothing(3);
  const Who other = Process(0x5000, 50, kLater).Named("other-app");
  Events({Event(Kind::kExited, other, 0, 5), other.Finished(1)});
  EXPECT_THAT(Group("other-app").exits, ElementsAre(Pair(5, 1)));
}

TEST_F(LedgerLifecycle, AGroupThatOnlyLossesNameHasItsSeries) {
  Losses({Lost(Kind::kForked, 1, "ghost", 4)});
  EXPECT_EQ(Group("ghost").forks, 4);
  Losses({Lost(Kind::kForked, 1, "ghost", 4)});
  EXPECT_EQ(Group("ghost").forks, 8);
}

TEST(LedgerLifecycleSeed, WhatHappenedBeforeTheSeedCountsNowhere) {
  FileNaming naming;
  Ledger ledger(LedgerLimits{}, naming);
  Snapshot snapshot;
  snapshot.sweep = 1;
  snapshot.boottime_ns = 1000 * kSecond;
  const Who task = Process(0x1000, 10, kSecond);
  snapshot.events = {Event(Kind::kExecuted, task), Event(Kind::kExited, task)};
  snapshot.lost_counts = {Lost(Kind::kForked, 1, "app", 4)};
  ledger.Apply(snapshot);
  for (const NamedRow& row : ledger.MakeReport().groups) {
    EXPECT_EQ(row.lifecycle.execs + row.lifecycle.forks + row.lifecycle.exits.size(), 0);
  }
  EXPECT_FALSE(ledger.MakeReport().other_groups.present);
}

class LedgerImages : public testing::Test {
 protected:
  LedgerImages() { Apply({}); }

  void Apply(Snapshot snapshot) {
    snapshot.sweep = ++sweep_;
    snapshot.boottime_ns = (1000 + sweep_) * kSecond;
    ledger_.Apply(snapshot);
  }
  std::uint64_t GroupNs(const std::string& name) const {
    for (const NamedRow& row : ledger_.MakeReport().groups) {
      if (row.name == name) {
        return row.totals.user_ns + row.totals.system_ns;
      }
    }
    return 0;
  }

  FileNaming naming_;
  Ledger ledger_{LedgerLimits{}, naming_};
  std::uint32_t sweep_ = 0;
  const Who parent_ = Process(0x1000, 10, 1001 * kSecond).Named("sh");
  const Who child_ = Process(0x2000, 20, 1001 * kSecond + 5).Named("sh");
};

TEST_F(LedgerImages, AProcessNobodyMetIsInTheGroupOfWhatItRan) {
  const Who now = child_.Named("app");
  Snapshot snapshot;
  snapshot.events = {Running(Forked(parent_, child_), "/bin/sh"),
                     Running(Event(Kind::kExecuted, now, 3), "/bin/app"),
                     Running(now.Finished(10), "/bin/app")};
  Apply(snapshot);
  EXPECT_EQ(GroupNs("/bin/sh"), 3);
  EXPECT_EQ(GroupNs("/bin/app"), 7);
}

TEST_F(LedgerImages, AProcessThatTheIteratorCameTooEarlyForKeepsWhatItRuns) {
  Snapshot snapshot;
  snapshot.events = {Running(Forked(parent_, child_), "/bin/server")};
  Apply(snapshot);
  Snapshot later;
  later.living = {child_.Has(7)};
  Apply(later);
  EXPECT_EQ(GroupNs("/bin/server"), 7);
}

TEST_F(LedgerImages, ALivingProcessKeepsItsGroupWhenItIsRenamed) {
  Snapshot snapshot;
  snapshot.events = {Running(Event(Kind::kExecuted, child_, 1), "/bin/app")};
  snapshot.living = {child_.Has(5)};
  Apply(snapshot);
  Snapshot later;
  later.living = {child_.Named("renamed").Has(9)};
  Apply(later);
  EXPECT_EQ(GroupNs("/bin/app"), 9);
}

TEST_F(LedgerImages, WhereAnExecMayBeLostTheNewNameDecides) {
  Snapshot snapshot;
  snapshot.events = {Running(Event(Kind::kExecuted, child_, 1), "/bin/app")};
  snapshot.living = {child_.Has(5)};
  Apply(snapshot);
  Snapshot later;
  later.lost_counts = {Lost(Kind::kExecuted, 1, "unknown", 1)};
  later.living = {child_.Named("unknown").Has(9)};
  Apply(later);
  EXPECT_EQ(GroupNs("/bin/app"), 5);
  EXPECT_EQ(GroupNs("unknown"), 4);
}

}  // namespace
}  // namespace sched_exporter
