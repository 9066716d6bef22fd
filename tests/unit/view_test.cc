#include "exporter/ledger/view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

namespace sched_exporter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A view, and members by name that somebody holds or not.
class ViewTest : public testing::Test {
 protected:
  View::Id Add(bool held = true) {
    const View::Id id = view_.Add();
    held_[id] = held;
    return id;
  }
  void Credit(View::Id id, std::uint64_t run_ns) {
    Delta delta;
    delta.run_ns = run_ns;
    delta.timeslices = 1;
    view_.Credit(id, delta);
  }
  void LetGo(View::Id id) { held_[id] = false; }
  std::vector<View::Id> Settle() {
    view_.ClearPopulations();
    for (const auto& [id, held] : held_) {
      if (held) {
        view_.Hold(id);
        view_.population(id).threads = 1;
      }
    }
    std::vector<View::Id> removed;
    view_.Settle(++now_, removed);
    for (const View::Id id : removed) {
      held_.erase(id);
    }
    return removed;
  }
  bool Shown(View::Id id) const { return view_.member(id).shown; }
  std::uint64_t Ns(View::Id id) const { return Sum(view_.member(id).totals); }
  std::uint64_t OtherNs() const { return Sum(view_.Other().totals); }
  static std::uint64_t Sum(const Totals& totals) { return totals.user_ns + totals.system_ns; }

  View view_{2, {5, false}};
  std::map<View::Id, bool> held_;
  std::uint64_t now_ = 100;
};

TEST_F(ViewTest, EverybodyHasASeriesWhileThereIsRoom) {
  const View::Id a = Add();
  const View::Id b = Add();
  Credit(a, 5);
  Settle();
  EXPECT_TRUE(Shown(a));
  EXPECT_TRUE(Shown(b));
  EXPECT_EQ(Ns(a), 5);
  EXPECT_FALSE(view_.Other().present);
}

TEST_F(ViewTest, TheSmallestIsFolded) {
  const View::Id a = Add();
  const View::Id b = Add();
  const View::Id c = Add();
  Credit(a, 5);
  Credit(b, 50);
  Credit(c, 500);
  Settle();
  EXPECT_FALSE(Shown(a));
  EXPECT_TRUE(Shown(b));
  EXPECT_TRUE(Shown(c));
  EXPECT_EQ(OtherNs(), 5);
  EXPECT_TRUE(view_.Other().present);
  EXPECT_EQ(view_.Other().folded, 1);
  EXPECT_EQ(view_.Other().population.threads, 1);
}

TEST_F(ViewTest, EqualOnesKeepTheirPlaces) {
  const View::Id a = Add();
  Settle();
  const View::Id b = Add();
  Settle();
  const View::Id c = Add();
  for (int i = 0; i < 5; ++i) {
    Settle();
    EXPECT_TRUE(Shown(a));
    EXPECT_TRUE(Shown(b));
    EXPECT_FALSE(Shown(c));
  }
}

TEST_F(ViewTest, ASeriesThatComesBackGoesOnWhereItWas) {
  const View::Id a = Add();
  const View::Id b = Add();
  const View::Id c = Add();
  Credit(a, 30);
  Credit(b, 20);
  Settle();
  Credit(c, 40);
  Settle();
  EXPECT_FALSE(Shown(b));
  Credit(b, 5);  // not enough to come back: in other
  Settle();
  EXPECT_EQ(OtherNs(), 5);
  Credit(b, 100);
  Settle();
  EXPECT_TRUE(Shown(b));
  EXPECT_EQ(Ns(b), 20 + 100);
  EXPECT_EQ(OtherNs(), 5);
}

TEST_F(ViewTest, TheDeadKeepTheirSeriesForAWhile) {
  const View::Id a = Add();
  Credit(a, 7);
  Settle();
  LetGo(a);
  for (int i = 0; i < 4; ++i) {
    EXPECT_THAT(Settle(), IsEmpty());
    EXPECT_TRUE(Shown(a));
    EXPECT_EQ(Ns(a), 7);
  }
  EXPECT_THAT(Settle(), ElementsAre(a));
  EXPECT_EQ(view_.Other().folded, 0);
}

TEST_F(ViewTest, AnAdditionKeepsTheDeadLonger) {
  const View::Id a = Add();
  Settle();
  LetGo(a);
  for (int i = 0; i < 20; ++i) {
    Credit(a, 1);
    EXPECT_THAT(Settle(), IsEmpty());
  }
  EXPECT_EQ(Ns(a), 20);
}

TEST_F(ViewTest, WithoutPatienceTheDeadGoAtOnceAndTheirLastAdditionIsInOther) {
  view_.set_limits(2, {0, false});
  const View::Id a = Add();
  Credit(a, 7);
  Settle();
  LetGo(a);
  Credit(a, 3);
  EXPECT_THAT(Settle(), ElementsAre(a));
  EXPECT_EQ(OtherNs(), 3);
}

TEST_F(ViewTest, ANewMemberInAnOldPlaceStartsFromZero) {
  view_.set_limits(2, {0, false});
  const View::Id a = Add();
  Credit(a, 7);
  Settle();
  LetGo(a);
  Settle();
  const View::Id b = Add();
  EXPECT_EQ(b, a);
  Settle();
  EXPECT_EQ(Ns(b), 0);
}

TEST_F(ViewTest, AdditionsOfNobodyAreInOther) {
  Delta delta;
  delta.run_ns = 9;
  view_.CreditOther(delta);
  Settle();
  EXPECT_EQ(OtherNs(), 9);
  EXPECT_TRUE(view_.Other().present);
}

TEST_F(ViewTest, ALowerLimitFoldsAndAHigherOneUnfolds) {
  const View::Id a = Add();
  const View::Id b = Add();
  Credit(a, 5);
  Credit(b, 6);
  Settle();
  view_.set_limits(1, {5, false});
  Settle();
  EXPECT_FALSE(Shown(a));
  view_.set_limits(2, {5, false});
  Credit(a, 1);
  Settle();
  EXPECT_TRUE(Shown(a));
  EXPECT_EQ(Ns(a), 6);
}

TEST_F(ViewTest, OtherKnowsItsOldest) {
  view_.set_limits(1, {5, false});
  const std::vector<View::Id> ids{Add(), Add(), Add()};
  Credit(ids[0], 100);
  Settle();
  view_.population(ids[0]).oldest_start_ns = 10;
  view_.population(ids[1]).oldest_start_ns = 30;
  view_.population(ids[2]).oldest_start_ns = 20;
  EXPECT_EQ(view_.Other().population.oldest_start_ns, 20);
}

// What is exported is sums of increments: each addition must be in exactly one, and none may be
// negative, whoever comes and goes.
TEST_F(ViewTest, NothingIsLostOrRepeatedWhateverHappens) {
  std::mt19937_64 random(11);
  view_.set_limits(4, {3, false});
  std::vector<View::Id> ids;
  std::map<View::Id, std::uint64_t> before;
  std::uint64_t credited = 0;
  std::uint64_t grown = 0;
  std::uint64_t other_before = 0;
  for (int i = 0; i < 5000; ++i) {
    if (ids.size() < 10 && random() % 3 == 0) {
      ids.push_back(Add());
    }
    for (const View::Id id : ids) {
      if (random() % 4 == 0) {
        const std::uint64_t ns = random() % 1000;
        Credit(id, ns);
        credited += ns;
      }
      if (random() % 20 == 0) {
        LetGo(id);
      }
    }
    for (const View::Id id : Settle()) {
      std::erase(ids, id);
      before.erase(id);
    }
    for (const View::Id id : ids) {
      ASSERT_GE(Ns(id), before[id]);
      ASSERT_TRUE(Shown(id) || Ns(id) == before[id]) << "a folded series grew";
      grown += Ns(id) - before[id];
      before[id] = Ns(id);
    }
    ASSERT_GE(OtherNs(), other_before);
    grown += OtherNs() - other_before;
    other_before = OtherNs();
    ASSERT_EQ(grown, credited) << i;
  }
}

}  // namespace
}  // namespace sched_exporter
