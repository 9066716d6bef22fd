// What stays of cgroups that were removed, folded, or used again.

#include <gmock/gmock.h>

#include "tests/support/told_naming.h"

namespace sched_exporter {
namespace {

using test_support::Process;
using test_support::Who;
using testing::IsEmpty;

class LedgerCgroups : public test_support::LedgerNames {};

TEST_F(LedgerCgroups, ACgroupHasItsSeriesAsLongAsItIsThere) {
  naming_.living = {"/1"};
  Living({});
  Finish({Process(1, 11, kLater).In(1).Finished(9)});
  for (int i = 0; i < 20; ++i) {
    ledger_.NoteTold();
    Living({});
  }
  ASSERT_EQ(ledger_.MakeReport().cgroups.size(), 1);
  naming_.living.clear();
  for (int i = 0; i < 5; ++i) {
    Living({});
  }
  EXPECT_THAT(ledger_.MakeReport().cgroups, IsEmpty());
}

TEST_F(LedgerCgroups, WhatARemovedCgroupCountedStaysWithTheNextOneAbove) {
  naming_.paths = {{5, "/k/pod/a"}, {6, "/k/pod/b"}, {7, "/k/pod"}};
  naming_.living = {"/k", "/k/pod", "/k/pod/b"};
  Living({});
  TaskEvent exit = Process(1, 11, kLater).In(5).Finished(9);
  exit.kind = TaskEvent::Kind::kExited;
  exit.code = 3;
  Finish({exit, Process(1, 11, kLater).In(5).Finished(9), Process(2, 12, kLater).In(6).Finished(2),
          Process(3, 13, kLater).In(7).Finished(1)});
  const auto settle = [this] {
    for (int i = 0; i < 5; ++i) {
      ledger_.NoteTold();
      Living({});
      const Report report = ledger_.MakeReport();
      EXPECT_EQ(SumOf(report.cgroups) + SumOf(report.removed_cgroups), 12);
    }
  };
  settle();
  Report report = ledger_.MakeReport();
  ASSERT_EQ(report.removed_cgroups.size(), 1);
  EXPECT_EQ(report.removed_cgroups[0].name, "/k/pod");
  EXPECT_EQ(Ns(report.removed_cgroups[0].totals), 9);
  EXPECT_EQ(report.removed_cgroups[0].lifecycle.exits.at(3), 1);
  naming_.living = {"/k"};
  settle();
  report = ledger_.MakeReport();
  EXPECT_THAT(report.cgroups, IsEmpty());
  ASSERT_EQ(report.removed_cgroups.size(), 1);
  EXPECT_EQ(report.removed_cgroups[0].name, "/k");
  EXPECT_EQ(report.removed_cgroups[0].lifecycle.exits.at(3), 1);
}

TEST_F(LedgerCgroups, WhatAFoldedCgroupCountedStaysInTheSum) {
  naming_.paths = {{5, "/a"}, {6, "/b"}};
  naming_.living = {"/a", "/b"};
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  const Who b = Process(2, 12, kLater).In(6);
  Living({a.Has(100), b.Has(60)});
  EXPECT_EQ(SumNow(), 160);
  Living({a.Has(100), b.Has(120)});
  EXPECT_EQ(SumNow(), 220);
  Living({a.Has(500), b.Has(120)});
  EXPECT_EQ(SumNow(), 620);
  EXPECT_EQ(Ns(ledger_.MakeReport().cgroups.at(0).totals), 400) << "/a begins anew";
}

TEST_F(LedgerCgroups, ASeriesThatOnlyWentBetweenTwoReportsGoesOn) {
  naming_.paths = {{5, "/a"}, {6, "/b"}};
  naming_.living = {"/a", "/b"};
  limits_.cgroups = 1;
  ledger_.set_limits(limits_);
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  const Who b = Process(2, 12, kLater).In(6);
  Living({a.Has(100), b.Has(60)});
  EXPECT_EQ(SumNow(), 160);
  Living({a.Has(100), b.Has(120)});
  Living({a.Has(300), b.Has(120)});
  EXPECT_EQ(SumNow(), 420);
  EXPECT_EQ(Ns(ledger_.MakeReport().cgroups.at(0).totals), 300);
}

TEST_F(LedgerCgroups, WhatAFilteredCgroupCountedStaysInTheSum) {
  naming_.paths = {{5, "/a"}};
  naming_.living = {"/a"};
  Living({});
  const Who a = Process(1, 11, kLater).In(5);
  Living({a.Has(100)});
  EXPECT_EQ(SumNow(), 100);
  naming_.unwanted = {{ViewKind::kCgroup, "/a"}};
  ledger_.NameAgain();
  Living({a.Has(101)});
  EXPECT_EQ(SumNow(), 101);
}

TEST_F(LedgerCgroups, ManyCgroupsThatComeAndGoBeyondTheLimitLoseNothing) {
  limits_.cgroups = 3;
  ledger_.set_limits(limits_);
  Living({});
  std::uint64_t last = 0;
  for (std::uint32_t i = 1; i < 60; ++i) {
    naming_.living = {"/k"};
    std::vector<TaskReading> all;
    for (std::uint32_t j = i > 8 ? i - 8 : 1; j <= i; ++j) {
      naming_.paths[j] = "/k/" + std::to_string(j);
      naming_.living.insert(naming_.paths[j]);
      all.push_back(Process(j, 100 + j, kLater + j).In(j).Has(10 * (i - j + 1)));
    }
    Living(all);
    if (i % 3 == 0) {
      const std::uint64_t sum = SumNow();
      EXPECT_GE(sum, last);
      last = sum;
    }
  }
}

TEST_F(LedgerCgroups, AnIdThatIsUsedAgainIsAnotherCgroup) {
  naming_.paths = {{5, "/old"}};
  Living({});
  Finish({Process(1, 11, kLater).In(5).Finished(9)});
  Living({});
  naming_.paths = {{5, "/new"}};
  Finish({Process(2, 12, kLater).In(5).Finished(4)});
  const Report report = ledger_.MakeReport();
  ASSERT_EQ(report.cgroups.size(), 2);
  EXPECT_EQ(report.cgroups[0].name, "/new");
  EXPECT_EQ(Ns(report.cgroups[0].totals), 4);
  EXPECT_EQ(Ns(report.cgroups[1].totals), 9);
}

}  // namespace
}  // namespace sched_exporter
