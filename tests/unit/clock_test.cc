#include "exporter/base/clock.h"

#include <gtest/gtest.h>

namespace sched_exporter {
namespace {

constexpr std::uint64_t kBoot = 1'700'000'000'000'000'000;
constexpr std::uint64_t kMs = 1'000'000;

TEST(SteadyBootTime, DoesNotWaverWithItsReadings) {
  SteadyBootTime time;
  for (const std::uint64_t reading : {kBoot, kBoot + 900, kBoot - 3'000, kBoot + 9 * kMs}) {
    EXPECT_EQ(time.Steady(reading), kBoot);
  }
}

TEST(SteadyBootTime, FollowsAClockThatWasSet) {
  SteadyBootTime time;
  time.Steady(kBoot);
  for (const std::uint64_t reading : {kBoot + 3'600'000 * kMs, kBoot - 50 * kMs, kBoot}) {
    EXPECT_EQ(time.Steady(reading), reading);
  }
}

TEST(BootUnix, ReadingsAreAlike) {
  SteadyBootTime time;
  const std::uint64_t first = time.Steady(BootUnixNs());
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(time.Steady(BootUnixNs()), first);
  }
}

}  // namespace
}  // namespace sched_exporter
