// Timeslices that ended: from the sweeps to the series of their cgroups, to `other`, and to the
// sums of cgroups that were removed. None is lost, none is there twice.

#include <gmock/gmock.h>

#include <random>

#include "tests/support/told_naming.h"

namespace sched_exporter {
namespace {

using test_support::Process;
using test_support::Who;
using testing::IsEmpty;

/// `slices` timeslices of up to 4 us, each after a wait of up to 16 us.
Distributions Some(std::uint64_t slices) {
  Distributions some;
  some.timeslice.buckets[2] = slices;
  some.timeslice.sum_ns = 3'000 * slices;
  some.runqueue_latency.buckets[4] = slices;
  some.runqueue_latency.sum_ns = 15'000 * slices;
  return some;
}

class LedgerDistributions : public test_support::LedgerNames {
 protected:
  void SetUp() override {
    naming_.paths = {{5, "/a"}, {6, "/b"}, {7, "/k/a"}, {8, "/k/b"}};
    naming_.living = {"/a", "/b", "/k", "/k/a", "/k/b"};
  }

  /// A sweep in which these ended, by cgroup id, while `living` run.
  void Ended(const std::vector<CgroupDistributions>& ended,
             const std::vector<TaskReading>& living = {}) {
    Snapshot snapshot;
    snapshot.distributions = ended;
    snapshot.living = living;
    Apply(snapshot);
  }
  void Nothing(int sweeps) {
    for (int i = 0; i < sweeps; ++i) {
      ledger_.NoteTold();
      Ended({});
    }
  }

  static std::uint64_t Slices(const std::vector<NamedRow>& rows, const std::string& path) {
    for (const NamedRow& row : rows) {
      if (row.name == path) {
        return row.distributions.timeslice.Count();
      }
    }
    return 0;
  }
  std::uint64_t Own(const std::string& path) const {
    return Slices(ledger_.MakeReport().cgroups, path);
  }
  std::uint64_t OfRemoved(const std::string& path) const {
    return Slices(ledger_.MakeReport().removed_cgroups, path);
  }
  std::uint64_t Other() const {
    return ledger_.MakeReport().other_cgroups.distributions.timeslice.Count();
  }

  /// All that somebody adds up who reads the report now, as a scrape does.
  Distributions AllNow() {
    ledger_.SettleFolded();
    const Report report = ledger_.MakeReport();
    ledger_.NoteTold();
    Distributions all = report.other_cgroups.distributions;
    for (const NamedRow& row : report.cgroups) {
      all += row.distributions;
    }
    for (const NamedRow& row : report.removed_cgroups) {
      all += row.distributions;
    }
    return all;
  }

  Who a_ = Process(1, 11, kLater).In(5);
  Who b_ = Process(2, 12, kLater).In(6);
};

TEST_F(LedgerDistributions, WhatEndedBeforeTheSeedIsThePast) {
  Ended({{5, Some(100)}}, {a_.Has(10)});
  EXPECT_EQ(Own("/a"), 0);
  Ended({{5, Some(3)}}, {a_.Has(20)});
  EXPECT_EQ(Own("/a"), 3);
}

TEST_F(LedgerDistributions, AddsUpBucketByBucket) {
  Ended({});
  Ended({{5, Some(3)}}, {a_.Has(10)});
  Distributions long_ones;
  long_ones.timeslice.buckets.back() = 2;
  long_ones.timeslice.sum_ns = 40'000'000'000;
  long_ones.runqueue_latency.buckets.front() = 2;
  Ended({{5, long_ones}}, {a_.Has(20)});
  Distributions expected = Some(3);
  expected += long_ones;
  EXPECT_EQ(ledger_.MakeReport().cgroups.at(0).distributions, expected);
}

TEST_F(LedgerDistributions, ACgroupIsSeenByItsTimeslicesAlone) {
  Ended({});
  Ended({{5, Some(1)}});
  EXPECT_EQ(Own("/a"), 1) << "its tasks have gone before a sweep met them";
}

TEST_F(LedgerDistributions, TwoIdsWithOnePathAreOneSeries) {
  Ended({});
  Ended({{100, Some(1)}, {101, Some(2)}});
  EXPECT_EQ(Own("/same"), 3);
  ASSERT_EQ(ledger_.MakeReport().cgroups.size(), 1);
}

TEST_F(LedgerDistributions, WhatHadNoRoomInTheKernelIsInOther) {
  Ended({});
  EXPECT_FALSE(ledger_.MakeReport().other_cgroups.present);
  Ended({{0, Some(4)}, {5, Some(1)}});
  EXPECT_TRUE(ledger_.MakeReport().other_cgroups.present);
  EXPECT_EQ(Other(), 4);
  EXPECT_EQ(Own("/a"), 1);
}

TEST_F(LedgerDistributions, OfAFilteredCgroupAreInOther) {
  naming_.unwanted = {{ViewKind::kCgroup, "/a"}};
  Ended({});
  Ended({{5, Some(4)}, {6, Some(2)}});
  EXPECT_EQ(Other(), 4);
  EXPECT_EQ(Own("/a"), 0);
  EXPECT_EQ(Own("/b"), 2);
}

TEST_F(LedgerDistributions, OfAFoldedCgroupStayInTheSum) {
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Ended({});
  Ended({{5, Some(3)}, {6, Some(5)}}, {a_.Has(100), b_.Has(60)});
  EXPECT_EQ(AllNow(), Some(8));
  EXPECT_EQ(Own("/a"), 3);
  EXPECT_EQ(Other(), 5);
  // b passes a, whose series ends: what it had counted goes to the cgroup above.
  Ended({{5, Some(1)}, {6, Some(2)}}, {a_.Has(101), b_.Has(200)});
  EXPECT_EQ(AllNow(), Some(11));
  EXPECT_EQ(Own("/b"), 2);
  EXPECT_EQ(Other(), 6);
  EXPECT_EQ(OfRemoved("/"), 3);
  Ended({{5, Some(7)}}, {a_.Has(900), b_.Has(200)});
  EXPECT_EQ(AllNow(), Some(18));
  EXPECT_EQ(Own("/a"), 7) << "/a begins anew";
}

TEST_F(LedgerDistributions, ASeriesThatOnlyWentBetweenTwoReportsGoesOn) {
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Ended({});
  Ended({{5, Some(3)}}, {a_.Has(100), b_.Has(60)});
  EXPECT_EQ(AllNow(), Some(3));
  Ended({{5, Some(1)}}, {a_.Has(100), b_.Has(120)});
  Ended({{5, Some(2)}}, {a_.Has(300), b_.Has(120)});
  EXPECT_EQ(AllNow(), Some(6));
  const NamedRow row = ledger_.MakeReport().cgroups.at(0);
  EXPECT_EQ(row.distributions.timeslice.Count(), 5);
  EXPECT_TRUE(row.resumed);
}

TEST_F(LedgerDistributions, OfARemovedCgroupGoToTheNextOneAbove) {
  Ended({});
  Ended({{7, Some(3)}, {8, Some(5)}});
  naming_.living = {"/a", "/b", "/k", "/k/b"};
  Nothing(5);
  EXPECT_EQ(Own("/k/a"), 0);
  EXPECT_EQ(Own("/k/b"), 5);
  EXPECT_EQ(OfRemoved("/k"), 3);
  naming_.living = {};
  Nothing(5);
  EXPECT_THAT(ledger_.MakeReport().cgroups, IsEmpty());
  EXPECT_EQ(OfRemoved("/k"), 0);
  EXPECT_EQ(OfRemoved("/"), 8);
  EXPECT_EQ(AllNow(), Some(8));
}

TEST_F(LedgerDistributions, KeepADeadSeriesUntilTheyWereTold) {
  Ended({});
  Ended({{7, Some(3)}});
  ledger_.NoteTold();
  naming_.living.clear();
  Ended({{7, Some(1)}});
  for (int i = 0; i < 10; ++i) {
    Ended({});
  }
  EXPECT_EQ(Own("/k/a"), 4) << "nobody has read the last one";
  Nothing(1);
  EXPECT_EQ(Own("/k/a"), 0);
  EXPECT_EQ(OfRemoved("/"), 4);
}

TEST_F(LedgerDistributions, AnIdThatIsUsedAgainIsAnotherCgroup) {
  Ended({});
  Ended({{5, Some(3)}});
  Ended({});
  naming_.paths[5] = "/new";
  Ended({{5, Some(4)}});
  EXPECT_EQ(Own("/a"), 3);
  EXPECT_EQ(Own("/new"), 4);
}

TEST_F(LedgerDistributions, NoneIsLostWhateverComesAndGoes) {
  std::mt19937 random(7);
  const auto any = [&random](std::uint32_t below) {
    return static_cast<std::uint32_t>(random() % below);
  };
  limits_.cgroups = 4;
  ledger_.set_limits(limits_);
  Ended({});
  std::uint64_t slices = 0;
  for (std::uint32_t sweep = 1; sweep < 400; ++sweep) {
    std::vector<CgroupDistributions> ended;
    std::vector<TaskReading> living;
    naming_.living = {"/k"};
    for (std::uint32_t id = 1 + sweep / 4; id < 9 + sweep / 4; ++id) {
      naming_.paths[id] = "/k/" + std::to_string(id % 20);
      if (any(3) > 0) {
        naming_.living.insert(naming_.paths[id]);
        living.push_back(Process(id, 100 + id, kLater + id).In(id).Has(any(1'000'000)));
      }
      if (any(2) > 0) {
        ended.push_back({any(10) > 0 ? id : 0, Some(1 + any(50))});
        slices += ended.back().distributions.timeslice.Count();
      }
    }
    Ended(ended, living);
    if (any(3) == 0) {
      ASSERT_EQ(AllNow(), Some(slices)) << "sweep " << sweep;
    }
    if (any(40) == 0) {
      limits_.cgroups = 1 + any(6);
      ledger_.set_limits(limits_);
    }
  }
  naming_.living.clear();
  Nothing(10);
  EXPECT_EQ(AllNow(), Some(slices));
}

}  // namespace
}  // namespace sched_exporter
