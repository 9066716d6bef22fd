#include "exporter/ledger/lost_finals.h"

#include <gtest/gtest.h>

#include "tests/support/ledger_fixture.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::MakeComm;

constexpr bool kSomeMayReturn = false;
constexpr bool kNoneMayReturn = true;

class LostFinalsTest : public testing::Test {
 protected:
  void Take(std::uint64_t lost, const std::vector<LostSum>& sums, std::uint64_t seconds = 1) {
    Snapshot snapshot;
    now_ns_ += seconds * kSecond;
    snapshot.boottime_ns = now_ns_;
    snapshot.lost_finals = lost;
    snapshot.lost_sums = sums;
    snapshot.unattributed = unattributed_;
    lost_.Take(snapshot);
  }
  static LostSum Of(const std::string& comm, std::uint64_t run_ns) {
    LostSum sum;
    sum.cgroup_id = 1;
    sum.comm = MakeComm(comm);
    sum.figures.run_ns = run_ns;
    sum.tasks = 1;
    return sum;
  }
  void Debt(const std::string& comm, std::uint64_t run_ns) {
    lost_.AddDebt(1, MakeComm(comm), Figures{run_ns, 0, 0, 0, 0, 0, 0, 0});
  }
  void Refund(const std::string& comm, std::uint64_t run_ns) {
    lost_.Refund(1, MakeComm(comm), Figures{run_ns, 0, 0, 0, 0, 0, 0, 0});
  }
  /// What can be counted, by name.
  std::map<std::string, std::uint64_t> Additions(bool none_may_return = kSomeMayReturn) {
    std::map<std::string, std::uint64_t> additions;
    for (const LostFinals::Addition& addition : lost_.TakeAdditions(none_may_return)) {
      additions[addition.comm.data()] += addition.delta.run_ns;
    }
    return additions;
  }

  using Expected = std::map<std::string, std::uint64_t>;

  LostFinals lost_;
  LostSum unattributed_;
  std::uint64_t now_ns_ = 0;
};

TEST_F(LostFinalsTest, IsOpenFromTheLossUntilAfterTheSum) {
  EXPECT_FALSE(lost_.Open());
  Take(1, {});
  EXPECT_TRUE(lost_.Open());
  Take(1, {});
  EXPECT_TRUE(lost_.Open());
  Take(1, {Of("a", 5)});
  EXPECT_TRUE(lost_.Open());
  Take(1, {});
  EXPECT_FALSE(lost_.Open());
}

TEST_F(LostFinalsTest, ASumIsCountedOnce) {
  Take(1, {Of("a", 5)});
  EXPECT_EQ(Additions(), (Expected{{"a", 5}}));
  Take(1, {});
  EXPECT_EQ(Additions(), Expected{});
}

TEST_F(LostFinalsTest, ADebtComesOffItsOwnName) {
  Debt("a", 3);
  Take(2, {Of("a", 5), Of("b", 7)});
  EXPECT_EQ(Additions(), (Expected{{"a", 2}, {"b", 7}}));
}

TEST_F(LostFinalsTest, ADebtWithoutItsSumIsHeldBackAndReleasedWhenItIsPaid) {
  Debt("z", 3);
  Take(2, {Of("a", 5)});
  EXPECT_EQ(Additions(), (Expected{{"a", 2}}));
  Take(2, {Of("z", 10)});
  EXPECT_EQ(Additions(), (Expected{{"a", 3}, {"z", 7}}));
}

TEST_F(LostFinalsTest, ARefundReleasesWhatWasHeldOrTakenOff) {
  Debt("a", 3);
  Debt("z", 4);
  Take(1, {Of("a", 10)});
  EXPECT_EQ(Additions(), (Expected{{"a", 3}}));
  Refund("z", 4);  // unpaid: was only held back
  Take(1, {});
  EXPECT_EQ(Additions(), (Expected{{"a", 4}}));
  Refund("a", 3);  // paid by the sum
  Take(1, {});
  EXPECT_EQ(Additions(), (Expected{{"a", 3}}));
}

TEST_F(LostFinalsTest, DebtsAreOverWhenNobodyMayReturnAndNothingCame) {
  Debt("z", 3);
  Take(1, {Of("a", 5)});
  EXPECT_EQ(Additions(kNoneMayReturn), (Expected{{"a", 2}}));
  for (int i = 0; i < 2; ++i) {
    Take(1, {});
    EXPECT_EQ(Additions(kNoneMayReturn), Expected{});
  }
  Take(2, {Of("b", 9)});
  EXPECT_EQ(Additions(kNoneMayReturn), (Expected{{"b", 9}}));
}

TEST_F(LostFinalsTest, UnattributedRestsForASweepAndPaysFirst) {
  unattributed_ = Of("", 20);
  unattributed_.tasks = 2;
  Take(2, {});
  Additions();
  EXPECT_EQ(lost_.TakeUnattributed().run_ns, 0);
  Debt("z", 3);
  Take(3, {Of("a", 5)});
  EXPECT_EQ(Additions(), (Expected{{"a", 5}}));
  EXPECT_EQ(lost_.TakeUnattributed().run_ns, 17);
}

TEST_F(LostFinalsTest, FieldsDoNotPayForEachOther) {
  lost_.AddDebt(1, MakeComm("a"), Figures{0, 8, 0, 0, 0, 0, 0, 0});
  LostSum sum = Of("a", 5);
  sum.figures.wait_ns = 10;
  Take(1, {sum});
  const auto additions = lost_.TakeAdditions(kSomeMayReturn);
  ASSERT_EQ(additions.size(), 1);
  EXPECT_EQ(additions[0].delta.run_ns, 5);
  EXPECT_EQ(additions[0].delta.wait_ns, 2);
}

TEST_F(LostFinalsTest, ASumThatNeverComesIsNotWaitedForForEver) {
  Take(1, {});
  Take(1, {}, 3600);
  EXPECT_FALSE(lost_.Open());
  Take(2, {});
  EXPECT_TRUE(lost_.Open());
}

}  // namespace
}  // namespace sched_exporter
