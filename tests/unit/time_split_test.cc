#include "exporter/ledger/time_split.h"

#include <gtest/gtest.h>

#include <random>

namespace sched_exporter {
namespace {

Delta Of(std::uint64_t run_ns, std::uint64_t user_ns, std::uint64_t system_ns) {
  Delta delta;
  delta.run_ns = run_ns;
  delta.user_ns = user_ns;
  delta.system_ns = system_ns;
  return delta;
}

void ExpectParts(const SplitTime& time, std::uint64_t user_ns, std::uint64_t system_ns) {
  EXPECT_EQ(time.user_ns, user_ns);
  EXPECT_EQ(time.system_ns, system_ns);
}

// The expected figures are cputime_adjust()'s, worked out by hand: stime = rtime * stime /
// (stime + utime), then neither part may go back.

TEST(TimeSplit, WithoutASampleAllIsUser) { ExpectParts(TimeSplit().Add(Of(1000, 0, 0)), 1000, 0); }

TEST(TimeSplit, OneKindOfSampleTakesAll) {
  ExpectParts(TimeSplit().Add(Of(1000, 4, 0)), 1000, 0);
  ExpectParts(TimeSplit().Add(Of(1000, 0, 4)), 0, 1000);
}

TEST(TimeSplit, FollowsTheRatioOfTheSamples) {
  ExpectParts(TimeSplit().Add(Of(1000, 12'000'000, 4'000'000)), 750, 250);
}

TEST(TimeSplit, FollowsTheRatioOfAllSamplesSoFar) {
  TimeSplit split;
  ExpectParts(split.Add(Of(1000, 4, 4)), 500, 500);
  // 12 of 16 samples are user: 1500 of 2000.
  ExpectParts(split.Add(Of(1000, 8, 0)), 1000, 0);
  // 12 of 24: 1500 of 3000.
  ExpectParts(split.Add(Of(1000, 0, 8)), 0, 1000);
}

TEST(TimeSplit, NoPartGoesBack) {
  TimeSplit split;
  ExpectParts(split.Add(Of(1000, 0, 0)), 1000, 0);
  // The ratio wants 550 of 1100 for user: it has 1000 already.
  ExpectParts(split.Add(Of(100, 4, 4)), 0, 100);
  // All samples but one are user, but system has 100 already: 1000 + 50 of 1150.
  ExpectParts(split.Add(Of(50, 4'000, 0)), 50, 0);
}

TEST(TimeSplit, LargeFiguresDoNotOverflow) {
  constexpr std::uint64_t kYears = 1'000'000'000'000'000'000;  // 31 years in ns
  ExpectParts(TimeSplit().Add(Of(kYears, kYears, kYears)), kYears / 2, kYears / 2);
}

TEST(TimeSplit, AddsUpAndGrowsWhateverComes) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    TimeSplit split;
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t run_ns = random() >> (random() % 50 + 14);
      const SplitTime part =
          split.Add(Of(run_ns, (random() % 3) * 4'000'000, random() % 9'000'000));
      ASSERT_EQ(part.user_ns + part.system_ns, run_ns);
      ASSERT_LE(part.user_ns, run_ns);
    }
  }
}

}  // namespace
}  // namespace sched_exporter
