// What portable mode makes of events and usages: nothing twice, nothing backwards, whatever is
// late, lost or used again.

#include "exporter/kernel/portable_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace sched_exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Kind = TaskEvent::Kind;

constexpr std::uint64_t kCgroup = 7;
constexpr std::uint32_t kParent = 100;
constexpr std::uint32_t kChild = 200;

class PortableBookTest : public testing::Test {
 protected:
  PortableBookTest() { Reconcile({{kParent, {kParent}}}); }

  /// Nobody else lives.
  std::uint64_t Reconcile(std::vector<LivingProcess> processes) {
    LivingProcesses living;
    living.list = [processes] { return processes; };
    living.describe = [](std::uint32_t tgid) {
      TaskIdentity leader;
      leader.pid = leader.tgid = tgid;
      leader.start_ns = leader.leader_start_ns = 1;
      leader.cgroup_id = kCgroup;
      return std::optional(leader);
    };
    return book_.Reconcile(living, now_);
  }

  portable_event Event(portable_event_kind kind, std::uint32_t tgid, std::uint32_t other = 0) {
    portable_event event{};
    event.kind = kind;
    event.tid = tgid;
    event.other = other;
    event.key = {kCgroup, tgid, 0};
    event.time_ns = ++now_;
    std::strcpy(event.comm, "name");
    return event;
  }

  static portable_usage Usage(std::uint64_t born_ns, std::uint64_t run_ns) {
    portable_usage usage{};
    usage.born_ns = born_ns;
    usage.run_ns = run_ns;
    std::strcpy(usage.comm, "name");
    return usage;
  }

  void End(std::uint32_t tgid, const portable_usage& usage) {
    portable_event event = Event(PORTABLE_ENDED, tgid);
    event.usage = usage;
    book_.Take(event, {});
  }

  /// What happened since the last call, without the ends of tasks.
  std::vector<Kind> Kinds() {
    std::vector<Kind> kinds;
    for (const TaskEvent& event : events_) {
      if (event.kind != Kind::kFinished) {
        kinds.push_back(event.kind);
      }
    }
    events_.clear();
    return kinds;
  }

  std::size_t Living() {
    Snapshot snapshot;
    book_.Fill(snapshot);
    return snapshot.living_keys.size();
  }

  std::uint64_t now_ = 10;
  std::vector<TaskEvent> events_;
  PortableBook book_{[this](TaskEvent event) { events_.push_back(std::move(event)); }};
};

TEST_F(PortableBookTest, AProcessIsBornCallsExecAndEnds) {
  book_.Take(Event(PORTABLE_FORKED, kParent, kChild), {});
  EXPECT_EQ(Living(), 2U);
  portable_event exec = Event(PORTABLE_EXECUTED, kChild, kChild);
  exec.usage = Usage(now_, 30);
  book_.Take(exec, "/bin/name");
  ASSERT_THAT(events_, SizeIs(2));
  EXPECT_EQ(events_[0].origin.tgid, kParent);
  EXPECT_EQ(events_[1].image->file, "/bin/name");
  EXPECT_EQ(events_[1].reading.figures.run_ns, 30U);
  book_.Take(Event(PORTABLE_THREAD_STARTED, kChild, kChild + 1), {});
  EXPECT_EQ(Living(), 3U);
  portable_event thread_end = Event(PORTABLE_ENDED, kChild);
  thread_end.tid = kChild + 1;
  book_.Take(thread_end, {});
  EXPECT_EQ(Living(), 2U);
  End(kChild, Usage(now_, 12));
  EXPECT_THAT(Kinds(),
              ElementsAre(Kind::kForked, Kind::kExecuted, Kind::kThreadStarted, Kind::kExited));
  EXPECT_EQ(book_.attributed_ns(), 42U);
  EXPECT_EQ(Living(), 1U);
}

TEST_F(PortableBookTest, AnEntryReadBeforeItWasTakenAwayCountsOnce) {
  const portable_key key{kCgroup, kParent, 0};
  book_.TakeUsage(key, Usage(20, 100));
  portable_event exec = Event(PORTABLE_EXECUTED, kParent, kParent);
  exec.usage = Usage(20, 150);
  book_.Take(exec, {});
  book_.TakeUsage(key, Usage(20, 120));  // read before the exec, delivered after it
  EXPECT_EQ(book_.attributed_ns(), 150U);
  book_.TakeUsage(key, Usage(40, 5));  // the next entry
  book_.TakeUsage(key, Usage(40, 5));
  EXPECT_EQ(book_.attributed_ns(), 155U);
}

TEST_F(PortableBookTest, FiguresOfAnAccountNeverGoBack) {
  const portable_key key{kCgroup, kParent, 0};
  std::uint64_t last = 0;
  for (const auto& [born, run] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
           {20, 100}, {20, 90}, {30, 1}, {20, 500}, {30, 7}}) {
    book_.TakeUsage(key, Usage(born, run));
    Snapshot snapshot;
    book_.Fill(snapshot);
    for (const TaskReading& reading : snapshot.switched) {
      EXPECT_GE(reading.figures.run_ns, last);
      last = reading.figures.run_ns;
    }
  }
  EXPECT_EQ(book_.attributed_ns(), 107U);
}

TEST_F(PortableBookTest, APidThatIsUsedAgainIsAnotherProcess) {
  book_.Take(Event(PORTABLE_FORKED, kParent, kChild), {});
  const TaskKey first = events_.back().reading.key;
  book_.Take(Event(PORTABLE_FORKED, kParent, kChild), {});  // nobody told the end of the first
  EXPECT_NE(events_.back().reading.key, first);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kForked, Kind::kExited, Kind::kForked));
  EXPECT_EQ(Living(), 2U);
}

TEST_F(PortableBookTest, AForkThatIsToldAfterProcSaidSoIsTheSameProcess) {
  portable_event fork = Event(PORTABLE_FORKED, kParent, kChild);
  ++now_;
  EXPECT_EQ(Reconcile({{kParent, {kParent}}, {kChild, {kChild}}}), 1U);
  book_.Take(fork, {});
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kForked));
  EXPECT_EQ(Living(), 2U);
}

TEST_F(PortableBookTest, AnEntryReadBeforeItsProcessEndedMakesNoGhost) {
  book_.TakeUsage({kCgroup, kParent, 0}, Usage(20, 100));
  End(kParent, Usage(20, 130));
  book_.TakeUsage({kCgroup, kParent, 0}, Usage(20, 120));
  EXPECT_FALSE(book_.HasGhosts());
  EXPECT_EQ(book_.attributed_ns(), 130U);
}

TEST_F(PortableBookTest, AnEntryThatStaysAfterItsProcessCountsOnce) {
  const portable_key key{kCgroup, kParent, 0};
  book_.TakeUsage(key, Usage(20, 100));
  EXPECT_EQ(Reconcile({}), 0U);  // the event of its end was lost
  book_.TakeUsage(key, Usage(20, 110));
  EXPECT_EQ(book_.attributed_ns(), 110U);
  EXPECT_TRUE(book_.HasGhosts());
  EXPECT_THAT(book_.RetireGhosts(now_), SizeIs(1));
  book_.Take(Event(PORTABLE_FORKED, 1, kParent), {});
  book_.TakeUsage(key, Usage(40, 7));
  EXPECT_EQ(book_.attributed_ns(), 117U);
}

TEST_F(PortableBookTest, WhoIsGoneWithoutAWordHasExited) {
  book_.Take(Event(PORTABLE_FORKED, kParent, kChild), {});
  Kinds();
  EXPECT_EQ(Reconcile({{kParent, {kParent}}}), 0U);
  EXPECT_THAT(Kinds(), ElementsAre(Kind::kExited));
  End(kChild, Usage(now_, 3));  // late
  EXPECT_THAT(Kinds(), IsEmpty());
  EXPECT_EQ(book_.attributed_ns(), 3U);
}

TEST_F(PortableBookTest, AProcessThatNobodyToldOfHasItsUsageAllTheSame) {
  book_.TakeUsage({kCgroup, kChild, 0}, Usage(20, 9));
  EXPECT_TRUE(book_.HasGhosts());
  EXPECT_EQ(book_.attributed_ns(), 9U);
  EXPECT_EQ(Living(), 1U);
  EXPECT_EQ(Reconcile({{kParent, {kParent}}}), 0U);
  EXPECT_THAT(book_.RetireGhosts(now_), SizeIs(1));
  EXPECT_FALSE(book_.HasGhosts());
  EXPECT_THAT(Kinds(), IsEmpty()) << "its exit was never told, nor was its fork";
}

TEST_F(PortableBookTest, AGhostThatLivesIsAProcess) {
  book_.TakeUsage({kCgroup, kChild, 0}, Usage(20, 9));
  EXPECT_EQ(Reconcile({{kParent, {kParent}}, {kChild, {kChild, kChild + 1}}}), 1U);
  EXPECT_FALSE(book_.HasGhosts());
  EXPECT_EQ(Living(), 3U);
  EXPECT_THAT(book_.RetireGhosts(now_), IsEmpty());
}

TEST_F(PortableBookTest, EachCgroupHasItsOwnAccount) {
  book_.TakeUsage({kCgroup, kParent, 0}, Usage(20, 5));
  portable_usage moved = Usage(21, 8);
  moved.leader_ns = 30;
  book_.TakeUsage({kCgroup + 1, kParent, 0}, moved);
  Snapshot snapshot;
  book_.Fill(snapshot);
  std::map<std::uint64_t, std::uint64_t> run_by_cgroup;
  for (const TaskReading& reading : snapshot.switched) {
    run_by_cgroup[reading.identity.cgroup_id] = reading.figures.run_ns;
  }
  EXPECT_EQ(run_by_cgroup,
            (std::map<std::uint64_t, std::uint64_t>{{kCgroup, 5}, {kCgroup + 1, 8}}));
  EXPECT_THAT(snapshot.living_keys, SizeIs(1));
}

}  // namespace
}  // namespace sched_exporter
