#include "exporter/events/event_assembler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace sched_exporter {
namespace {

using Kind = TaskEvent::Kind;
using Type = LifecycleEvent::Type;
using testing::ElementsAre;

constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStart = 100 * kSecond;

Comm MakeComm(const std::string& text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size()), comm.begin());
  return comm;
}

class FakeNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& /*identity*/, const ProgramImagePtr& image) override {
    return MakeGroup(image == nullptr ? "by comm" : image->file);
  }
  std::string CgroupPath(std::uint64_t id) override { return "/" + std::to_string(id); }
  std::map<std::string, std::string> CgroupLabels(const std::string& path) override {
    return {{"unit", "of " + path}};
  }
};

/// A task in hand-written events. The address of task 7 is 7.
struct Who {
  std::uint32_t tid = 0;
  std::uint32_t pid = 0;
  std::uint64_t leader_start_ns = kStart;
  TaskKey key = tid;

  TaskEvent Does(Kind kind, std::uint64_t time_ns) const {
    TaskEvent event;
    event.kind = kind;
    event.time_ns = time_ns;
    event.reading.key = key;
    event.reading.identity.pid = tid;
    event.reading.identity.tgid = pid;
    event.reading.identity.ppid = 1;
    event.reading.identity.uid = 33;
    event.reading.identity.cgroup_id = 5;
    event.reading.identity.leader_start_ns = leader_start_ns;
    event.reading.identity.comm = MakeComm("a\nb");
    return event;
  }
  TaskEvent Final(std::uint64_t run_ns, std::uint64_t wait_ns) const {
    TaskEvent event = Does(Kind::kFinished, kStart);
    event.reading.figures.run_ns = run_ns;
    event.reading.figures.wait_ns = wait_ns;
    return event;
  }
  /// As the last thread of its process.
  TaskEvent Exit(std::uint64_t time_ns, std::uint64_t released_run_ns = 0) const {
    TaskEvent event = Does(Kind::kExited, time_ns);
    event.released_run_ns = released_run_ns;
    event.code = kSignalBase + 9;
    return event;
  }
};

class EventAssemblerTest : public testing::Test {
 protected:
  void Take(const TaskEvent& event) { assembler_.Take(event, ready_); }
  void Settle(std::uint64_t now_ns) { assembler_.Settle(now_ns, ready_); }
  std::vector<std::uint32_t> ReadyPids() const {
    std::vector<std::uint32_t> pids;
    for (const LifecycleEvent& event : ready_) {
      pids.push_back(event.pid);
    }
    return pids;
  }
  /// The figures of the only event.
  void ExpectFigures(std::uint64_t run_ns, std::uint64_t wait_ns) const {
    ASSERT_EQ(ready_.size(), 1U);
    EXPECT_EQ(ready_[0].run_ns, run_ns);
    EXPECT_EQ(ready_[0].wait_ns, std::optional(wait_ns));
  }

  static constexpr std::uint64_t kExit = kStart + 3 * kSecond;
  static constexpr std::uint64_t kHeld = kExit + EventAssembler::kHoldNs;
  static constexpr std::uint64_t kOverdue = kExit + EventAssembler::kLongestHoldNs;

  FakeNaming naming_;
  EventAssembler assembler_{naming_};
  std::vector<LifecycleEvent> ready_;
  const Who leader_{10, 10};
  const Who thread_{11, 10};
};

TEST_F(EventAssemblerTest, ExecIsTold) {
  assembler_.set_boot_unix_ns(1'000 * kSecond);
  TaskEvent event = leader_.Does(Kind::kExecuted, kStart + 1);
  event.image = std::make_shared<const ProgramImage>(ProgramImage{"/bin/sh", {}});
  Take(event);
  ASSERT_EQ(ready_.size(), 1U);
  EXPECT_EQ(ready_[0].type, Type::kExec);
  EXPECT_EQ(ready_[0].time_unix_ns, 1'100 * kSecond + 1);
  EXPECT_EQ(ready_[0].pid, 10U);
  EXPECT_EQ(ready_[0].ppid, 1U);
  EXPECT_EQ(ready_[0].uid, 33U);
  EXPECT_EQ(ready_[0].comm, "a\\x0ab");
  EXPECT_EQ(ready_[0].group, "/bin/sh");
  EXPECT_EQ(ready_[0].cgroup, "/5");
  EXPECT_EQ(ready_[0].cgroup_labels.at("unit"), "of /5");
  EXPECT_EQ(ready_[0].image, event.image);
}

TEST_F(EventAssemblerTest, FailedExecHasTheImageThatItTriedAndTheGroupThatItIs) {
  TaskEvent event = thread_.Does(Kind::kExecFailed, kStart);
  event.code = 2;
  event.image = std::make_shared<const ProgramImage>(ProgramImage{"/no", {}});
  Take(event);
  ASSERT_EQ(ready_.size(), 1U);
  EXPECT_EQ(ready_[0].type, Type::kExecFailed);
  EXPECT_EQ(ready_[0].pid, 10U);  // the process, not the thread
  EXPECT_EQ(ready_[0].code, 2U);
  EXPECT_EQ(ready_[0].image, event.image);
  EXPECT_EQ(ready_[0].group, "by comm");
}

TEST_F(EventAssemblerTest, OomKillIsToldBeforeTheExit) {
  Take(leader_.Does(Kind::kOomKilled, kExit));
  Take(leader_.Exit(kExit + 1));
  Take(leader_.Final(1, 1));
  Settle(kOverdue + 1);
  ASSERT_EQ(ready_.size(), 2U);
  EXPECT_EQ(ready_[0].type, Type::kOomKill);
  EXPECT_EQ(ready_[1].type, Type::kExit);
}

TEST_F(EventAssemblerTest, ForksThreadsAndMovesAreNoEvents) {
  for (const Kind kind : {Kind::kForked, Kind::kThreadStarted, Kind::kMoved}) {
    Take(leader_.Does(kind, kStart));
  }
  Settle(kOverdue);
  EXPECT_TRUE(ready_.empty());
}

TEST_F(EventAssemblerTest, ExitIsHeldAndThenToldOnce) {
  TaskEvent exit = leader_.Exit(kExit);
  exit.image = std::make_shared<const ProgramImage>(ProgramImage{"/bin/sh", {}});
  Take(exit);
  Take(leader_.Final(7 * kMillisecond, 2 * kMillisecond));
  Settle(kHeld - 1);
  EXPECT_TRUE(ready_.empty());
  Settle(kHeld);
  ExpectFigures(7 * kMillisecond, 2 * kMillisecond);
  EXPECT_EQ(ready_[0].type, Type::kExit);
  EXPECT_EQ(ready_[0].code, kSignalBase + 9);
  EXPECT_EQ(ready_[0].lifetime_ns, 3 * kSecond);
  EXPECT_EQ(ready_[0].group, "/bin/sh");
  Settle(kOverdue);
  EXPECT_EQ(ready_.size(), 1U);
  EXPECT_EQ(assembler_.pending_exits(), 0U);
}

TEST_F(EventAssemblerTest, LifetimeIsNotNegative) {
  Take(Who{10, 10, kExit + 1}.Exit(kExit));
  Settle(kOverdue);
  ASSERT_EQ(ready_.size(), 1U);
  EXPECT_EQ(ready_[0].lifetime_ns, 0U);
}

TEST_F(EventAssemblerTest, FinalsOfThreadsCountBeforeAndAfterTheExit) {
  Take(thread_.Final(100, 10));
  Take(leader_.Exit(kExit, 100));
  Take(Who{12, 10}.Final(1'000, 20));  // in exit_group() it is on its way, too
  Take(leader_.Final(1, 40));
  Settle(kHeld);
  ExpectFigures(1'101, 70);
}

TEST_F(EventAssemblerTest, ExitWaitsForTheFinalOfItsOwnTask) {
  Take(leader_.Exit(kExit));
  Take(thread_.Final(100, 10));
  Settle(kHeld);
  EXPECT_TRUE(ready_.empty());
  Take(leader_.Final(1, 1));
  Settle(kHeld);
  ExpectFigures(101, 11);
}

TEST_F(EventAssemblerTest, ThreadsThatEndedUnseenCountByTheKernelsSum) {
  Take(thread_.Final(100, 10));
  Take(leader_.Exit(kExit, 5'000));
  Take(leader_.Final(7, 1));
  Settle(kHeld);
  ExpectFigures(5'007, 11);
}

TEST_F(EventAssemblerTest, LeaderMayExitFirstAndLong) {
  Take(leader_.Final(100, 10));
  Settle(kStart + 3'600 * kSecond);
  EXPECT_TRUE(ready_.empty());
  Take(thread_.Exit(kStart + 7'200 * kSecond));
  Take(thread_.Final(1, 1));
  Settle(kStart + 7'201 * kSecond);
  ExpectFigures(101, 11);
}

TEST_F(EventAssemblerTest, LostFinalIsWaitedForAndThenTheExitsFiguresCount) {
  TaskEvent exit = leader_.Exit(kExit, 1'000);
  exit.reading.figures.run_ns = 50;
  exit.reading.figures.wait_ns = 5;
  Take(exit);
  Settle(kOverdue - 1);
  EXPECT_TRUE(ready_.empty());
  Settle(kOverdue);
  ExpectFigures(1'050, 5);
}

TEST_F(EventAssemblerTest, WhoseEndIsUnknownHasNoWait) {
  Take(leader_.Final(100, 0));
  TaskEvent exit = leader_.Exit(kExit, 100);
  exit.code = kOtherCode;
  Take(exit);
  Settle(kOverdue);
  ASSERT_EQ(ready_.size(), 1U);
  EXPECT_EQ(ready_[0].run_ns, 100U);
  EXPECT_EQ(ready_[0].wait_ns, std::nullopt);
}

TEST_F(EventAssemblerTest, LostFinalBesideOthers) {
  Take(thread_.Final(100, 10));
  TaskEvent exit = leader_.Exit(kExit, 100);
  exit.reading.figures.run_ns = 50;
  exit.reading.figures.wait_ns = 5;
  Take(exit);
  Settle(kOverdue);
  ExpectFigures(150, 15);
}

TEST_F(EventAssemblerTest, ThreadThatCalledExecIsTheProcessAfterwards) {
  Take(leader_.Final(100, 10));  // de_thread() waited for it
  const Who after{10, 10, kStart, thread_.key};
  Take(after.Does(Kind::kExecuted, kStart + 1));
  Take(after.Exit(kExit, 100));
  Take(after.Final(7, 1));
  Settle(kHeld);
  ASSERT_EQ(ready_.size(), 2U);
  EXPECT_EQ(ready_[1].run_ns, 107U);
  EXPECT_EQ(ready_[1].wait_ns, 11U);
}

TEST_F(EventAssemblerTest, ExitsComeInTheOrderOfTheirTimes) {
  Take(Who{30, 30}.Exit(kExit + 1));
  Take(Who{20, 20}.Exit(kExit));
  Take(Who{40, 40}.Exit(kExit + 2));
  for (const std::uint32_t pid : {40U, 30U, 20U}) {
    Take(Who{pid, pid}.Final(1, 1));
  }
  Settle(kOverdue);
  EXPECT_THAT(ReadyPids(), ElementsAre(20, 30, 40));
}

TEST_F(EventAssemblerTest, LostFinalHoldsNobodyElseUp) {
  Take(Who{20, 20}.Exit(kExit));
  Take(Who{30, 30}.Exit(kExit));
  Take(Who{30, 30}.Final(1, 1));
  Settle(kHeld);
  EXPECT_THAT(ReadyPids(), ElementsAre(30));
  Settle(kOverdue);
  EXPECT_THAT(ReadyPids(), ElementsAre(30, 20));
}

TEST_F(EventAssemblerTest, PidUsedAgainIsAnotherProcess) {
  const Who next{10, 10, kExit + 1, 99};
  Take(thread_.Final(100, 10));
  Take(next.Exit(kExit + 2));
  Take(leader_.Final(1'000, 100));  // late, of the one before
  Take(next.Final(1, 1));
  Settle(kOverdue);
  ExpectFigures(1, 1);
}

TEST_F(EventAssemblerTest, ExitComesBeforeTheNextOwnerOfThePid) {
  for (const Kind kind : {Kind::kExecuted, Kind::kExecFailed, Kind::kOomKilled, Kind::kExited}) {
    ready_.clear();
    EventAssembler assembler(naming_);
    assembler.Take(leader_.Exit(kExit), ready_);
    assembler.Take(Who{10, 10, kExit + 1}.Does(kind, kExit + 2), ready_);
    EXPECT_EQ(ready_.size(), kind == Kind::kExited ? 1U : 2U);
    assembler.Settle(kOverdue + 2, ready_);
    ASSERT_EQ(ready_.size(), 2U);
    EXPECT_EQ(ready_[0].type, Type::kExit);
    EXPECT_EQ(ready_[0].time_unix_ns, kExit);
    EXPECT_EQ(ready_[1].time_unix_ns, kExit + 2);
  }
}

TEST_F(EventAssemblerTest, PendingExitsAreBounded) {
  EventAssembler assembler(naming_, 2);
  for (const std::uint32_t pid : {20U, 30U, 40U}) {
    assembler.Take(Who{pid, pid}.Exit(kExit), ready_);
  }
  EXPECT_EQ(assembler.pending_exits(), 2U);
  EXPECT_THAT(ReadyPids(), ElementsAre(20));
}

TEST(FinalSums, ForgetsWhoGotNoFinalForTheLongestTime) {
  FinalSums sums(2);
  Figures figures;
  figures.run_ns = 5;
  sums.Add({1, 1}, figures);
  sums.Add({2, 2}, figures);  // its exit was lost
  sums.Add({1, 1}, figures);
  sums.Add({3, 3}, figures);
  EXPECT_EQ(sums.size(), 2U);
  EXPECT_EQ(sums.Take({2, 2}).run_ns, 0U);
  EXPECT_EQ(sums.Take({1, 1}).run_ns, 10U);
  EXPECT_EQ(sums.Take({1, 1}).run_ns, 0U);
  EXPECT_EQ(sums.Take({3, 3}).run_ns, 5U);
  EXPECT_EQ(sums.size(), 0U);
}

}  // namespace
}  // namespace sched_exporter
