#include "exporter/live/recent_events.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace sched_exporter {
namespace {

LifecycleEvent Event(std::uint32_t pid) {
  LifecycleEvent event;
  event.pid = pid;
  return event;
}

TEST(RecentEvents, TheLastOnesAreThereInOrder) {
  RecentEvents recent(false);
  EXPECT_TRUE(recent.Last(10).events.empty());
  for (std::uint32_t pid = 1; pid <= 1000; ++pid) {
    recent.Add(Event(pid));
  }
  const auto some = recent.Last(3);
  ASSERT_EQ(some.events.size(), 3U);
  EXPECT_EQ(some.events[0]->pid, 998U);
  EXPECT_EQ(some.events[2]->pid, 1000U);
  const auto all = recent.Last(100'000);
  ASSERT_EQ(all.events.size(), RecentEvents::kMostEvents);
  EXPECT_EQ(all.events.back()->pid, 1000U);
  EXPECT_EQ(some.lost, 0U);
}

TEST(RecentEvents, LongPathsTakeTheRoomOfMany) {
  RecentEvents recent(true);
  for (std::uint32_t pid = 1; pid <= RecentEvents::kMostEvents; ++pid) {
    LifecycleEvent event = Event(pid);
    auto image = std::make_shared<ProgramImage>();
    image->file = "/bin/x";
    image->arguments = std::string(4096, 'a');
    event.image = image;
    event.cgroup = "/" + std::string(4095, 'c');
    recent.Add(std::move(event));
  }
  const auto all = recent.Last(1000);
  EXPECT_LT(all.events.size(), RecentEvents::kMostBytes / 8192);
  EXPECT_GT(all.events.size(), RecentEvents::kMostBytes / 8192 / 2);
  EXPECT_EQ(all.events.back()->pid, RecentEvents::kMostEvents);
}

TEST(RecentEvents, OneThatIsLargerThanAllRoomIsNotKept) {
  RecentEvents recent(false);
  LifecycleEvent event = Event(1);
  event.cgroup = std::string(RecentEvents::kMostBytes, 'x');
  recent.Add(std::move(event));
  EXPECT_TRUE(recent.Last(1).events.empty());
  recent.Add(Event(2));
  EXPECT_EQ(recent.Last(1).events.size(), 1U);
}

TEST(RecentEvents, LossesAreCounted) {
  RecentEvents recent(false);
  recent.NoteLost(3);
  recent.NoteLost(4);
  EXPECT_EQ(recent.Last(1).lost, 7U);
}

TEST(RecentEvents, IsReadWhileItIsWritten) {
  RecentEvents recent(false);
  std::thread writer([&recent] {
    for (std::uint32_t pid = 1; pid <= 20'000; ++pid) {
      recent.Add(Event(pid));
    }
  });
  std::uint32_t last = 0;
  while (last < 20'000) {
    const auto some = recent.Last(RecentEvents::kMostEvents);
    for (std::size_t i = 1; i < some.events.size(); ++i) {
      EXPECT_EQ(some.events[i]->pid, some.events[i - 1]->pid + 1);
    }
    last = some.events.empty() ? 0 : some.events.back()->pid;
  }
  writer.join();
}

}  // namespace
}  // namespace sched_exporter
