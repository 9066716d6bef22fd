// What the reader makes of the map's memory, with memory of the test's own.

#include "exporter/kernel/distribution_reader.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace sched_exporter {
namespace {

constexpr std::uint32_t kCpus = 2;
constexpr std::uint32_t kPlaces = 4;

class DistributionReaderTest : public testing::Test {
 protected:
  /// Place 0 is for what has no other.
  abi_distributions& Place(std::uint32_t cpu, std::uint32_t place) {
    return memory_[cpu * (kPlaces + 1) + place];
  }

  static void Observe(abi_distributions& place, std::size_t bucket, std::uint64_t ns,
                      std::uint32_t count = 1) {
    place.buckets[bucket].slices += count;
    place.buckets[0].waits += count;
    place.run_ns += ns;
    place.wait_ns += count;
  }

  std::vector<CgroupDistributions> Read(int seconds = 0) {
    now_ += std::chrono::seconds(seconds);
    std::vector<CgroupDistributions> read;
    reader_.Read(now_, read);
    return read;
  }

  std::vector<abi_distributions> memory_ =
      std::vector<abi_distributions>(std::size_t{kCpus} * (kPlaces + 1));
  DistributionReader reader_{memory_.data(), kCpus, kPlaces};
  DistributionReader::Clock::time_point now_;
};

TEST_F(DistributionReaderTest, AddsUpTheCpusOfACgroup) {
  Place(0, 2).cgroup_id = 7;
  Place(1, 4).cgroup_id = 7;
  Place(1, 1).cgroup_id = 8;
  Observe(Place(0, 2), 3, 7'000);
  Observe(Place(1, 4), 3, 6'000);
  Observe(Place(1, 1), 25, 20'000'000'000);
  const auto read = Read();
  ASSERT_EQ(read.size(), 2);
  EXPECT_EQ(read[0].cgroup_id, 7);
  EXPECT_EQ(read[0].distributions.timeslice.buckets[3], 2);
  EXPECT_EQ(read[0].distributions.timeslice.Count(), 2);
  EXPECT_EQ(read[0].distributions.timeslice.sum_ns, 13'000);
  EXPECT_EQ(read[0].distributions.runqueue_latency.buckets[0], 2);
  EXPECT_EQ(read[0].distributions.runqueue_latency.sum_ns, 2);
  EXPECT_EQ(read[1].cgroup_id, 8);
  EXPECT_EQ(read[1].distributions.timeslice.buckets[25], 1);
  EXPECT_EQ(reader_.entries(), 3);
  EXPECT_EQ(reader_.max_entries(), 10);
}

TEST_F(DistributionReaderTest, ReadsNothingTwice) {
  Place(0, 1).cgroup_id = 7;
  Observe(Place(0, 1), 0, 500);
  EXPECT_EQ(Read().size(), 1);
  EXPECT_TRUE(Read().empty());
  Observe(Place(0, 1), 1, 1'500);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0].distributions.timeslice.Count(), 1);
  EXPECT_EQ(read[0].distributions.timeslice.sum_ns, 1'500);
}

TEST_F(DistributionReaderTest, CountsGoOnAfterTheyBeginAnew) {
  Place(0, 1).cgroup_id = 7;
  Observe(Place(0, 1), 2, 0, std::numeric_limits<std::uint32_t>::max());
  Read();
  Observe(Place(0, 1), 2, 0, 3);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0].distributions.timeslice.buckets[2], 3);
}

TEST_F(DistributionReaderTest, APlaceThatRestsIsGivenBackAndItsNextOwnerCountsFromThere) {
  Place(0, 1).cgroup_id = 7;
  Observe(Place(0, 1), 4, 10'000);
  Read();
  Read(59);
  EXPECT_EQ(Place(0, 1).cgroup_id, 7);
  Read(1);
  EXPECT_EQ(Place(0, 1).cgroup_id, 0);
  EXPECT_TRUE(Read().empty());
  EXPECT_EQ(reader_.entries(), 0);
  Place(0, 1).cgroup_id = 9;
  Observe(Place(0, 1), 4, 12'000);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0].cgroup_id, 9);
  EXPECT_EQ(read[0].distributions.timeslice.Count(), 1);
  EXPECT_EQ(read[0].distributions.timeslice.sum_ns, 12'000);
}

TEST_F(DistributionReaderTest, APlaceInUseIsNotGivenBack) {
  Place(0, 1).cgroup_id = 7;
  for (int i = 0; i < 5; ++i) {
    Observe(Place(0, 1), 4, 10'000);
    EXPECT_EQ(Read(59).size(), 1);
  }
  EXPECT_EQ(Place(0, 1).cgroup_id, 7);
}

TEST_F(DistributionReaderTest, WhatHasNoPlaceIsNobodys) {
  Observe(Place(0, 0), 1, 1'500);
  Observe(Place(1, 0), 1, 1'600);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0].cgroup_id, 0);
  EXPECT_EQ(read[0].distributions.timeslice.Count(), 2);
}

/// The program saw that the place is its own, and counts when it was given back just now.
TEST_F(DistributionReaderTest, AnAdditionThatMeetsTheGivingBackIsNotLost) {
  Place(0, 1).cgroup_id = 7;
  Observe(Place(0, 1), 1, 1'500);
  Read();
  Read(60);
  Observe(Place(0, 1), 1, 1'700);
  const auto read = Read();
  ASSERT_EQ(read.size(), 1);
  EXPECT_EQ(read[0].distributions.timeslice.sum_ns, 1'700);
}

TEST(DistributionReader, WithoutPlacesThereIsNothing) {
  const auto reader = DistributionReader::Open(-1, kCpus, 0);
  ASSERT_TRUE(reader);
  std::vector<CgroupDistributions> read;
  (*reader)->Read({}, read);
  EXPECT_TRUE(read.empty());
}

TEST(DistributionReader, SaysWhatItCannotMap) {
  const auto reader = DistributionReader::Open(-1, kCpus, kPlaces);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().message, "cannot map the BPF map distributions: Bad file descriptor");
}

}  // namespace
}  // namespace sched_exporter
