#include "exporter/http/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sched_exporter {
namespace {

using std::chrono::milliseconds;
using ::testing::Optional;

constexpr Turns::Limits kLimits{4, 3, 5, milliseconds(500), milliseconds(25), false};

class TurnsTest : public ::testing::Test {
 protected:
  static Turns::Clock::time_point At(int ms) {
    return Turns::Clock::time_point(milliseconds(1'000'000 + ms));
  }

  /// Connections of one address with these numbers; nobody has to go.
  void Arrive(Turns::Id first, Turns::Id last, const std::string& client) {
    for (Turns::Id id = first; id <= last; ++id) EXPECT_EQ(turns_.Arrive(id, client), std::nullopt);
  }
  std::vector<Turns::Id> LetIn(int ms = 0) {
    std::vector<Turns::Id> in;
    while (const auto id = turns_.Next(At(ms))) in.push_back(*id);
    return in;
  }

  Turns turns_{kLimits};
};

TEST_F(TurnsTest, OneAddressLeavesThreadsToOthers) {
  Arrive(1, 4, "a");
  EXPECT_THAT(LetIn(), ::testing::SizeIs(3));
  Arrive(5, 5, "b");
  EXPECT_THAT(LetIn(), ::testing::ElementsAre(5));
  EXPECT_EQ(turns_.waiting(), 1U);
}

TEST_F(TurnsTest, AThreadGoesToWhoHasFewestThenToTheOldest) {
  Arrive(1, 3, "a");
  Arrive(4, 5, "b");
  EXPECT_THAT(LetIn(), ::testing::ElementsAre(1, 4, 2, 5));
  turns_.Leave(5);
  EXPECT_THAT(LetIn(), ::testing::ElementsAre(3));
}

TEST_F(TurnsTest, WhereTooManyWaitTheNewestOfTheBusiestAddressGoes) {
  Arrive(1, 1, "b");
  Arrive(2, 5, "a");
  EXPECT_THAT(turns_.Arrive(6, "b"), Optional(Turns::Id{5}));
  EXPECT_EQ(turns_.waiting(), 5U);
}

TEST_F(TurnsTest, NobodyIsHurriedWhileThreadsAreFree) {
  Arrive(1, 2, "a");
  LetIn();
  EXPECT_EQ(turns_.Dawdler(At(60'000)), std::nullopt);
}

TEST_F(TurnsTest, WithOthersBehindItTheSlowestClientGoesFirst) {
  Arrive(1, 2, "a");
  Arrive(3, 4, "b");
  LetIn();
  Arrive(5, 5, "c");
  EXPECT_THAT(LetIn(), ::testing::IsEmpty());
  turns_.Waits(1, At(100));
  turns_.Waits(2, At(50));
  turns_.Works(3);
  turns_.Works(4);
  EXPECT_EQ(turns_.Dawdler(At(549)), std::nullopt);
  EXPECT_THAT(turns_.Dawdler(At(550)), Optional(Turns::Id{2}));
  EXPECT_EQ(turns_.Dawdler(At(550)), std::nullopt) << "it is told once";
  turns_.Leave(2);
  EXPECT_THAT(LetIn(550), ::testing::ElementsAre(5));
  EXPECT_EQ(turns_.Dawdler(At(60'000)), std::nullopt) << "nobody waits any more";
}

TEST_F(TurnsTest, WhoHasFewThreadsIsHurriedLast) {
  Arrive(1, 1, "good");
  LetIn(0);
  Arrive(2, 4, "bad");
  Arrive(5, 6, "else");
  LetIn(1);
  EXPECT_THAT(turns_.Dawdler(At(600)), Optional(Turns::Id{2}));
  EXPECT_THAT(turns_.Dawdler(At(600)), Optional(Turns::Id{3}));
  EXPECT_EQ(turns_.Dawdler(At(60'000)), std::nullopt) << "two wait, two go";
}

TEST_F(TurnsTest, AWholeRequestIsWorkFirst) {
  Turns turns({1, 1, 5, milliseconds(500), milliseconds(25), true});
  for (Turns::Id id = 1; id <= 2; ++id) EXPECT_EQ(turns.Arrive(id, "a"), std::nullopt);
  EXPECT_THAT(turns.Next(At(0)), Optional(Turns::Id{1}));
  EXPECT_EQ(turns.Dawdler(At(60'000)), std::nullopt);
  turns.Waits(1, At(60'000));
  EXPECT_THAT(turns.Dawdler(At(60'500)), Optional(Turns::Id{1}));
}

TEST_F(TurnsTest, ProgressIsPatience) {
  Arrive(1, 2, "a");
  Arrive(3, 4, "b");
  LetIn();
  Arrive(5, 5, "c");
  for (int ms = 0; ms < 10'000; ms += 400) {
    for (Turns::Id id = 1; id <= 4; ++id) turns_.Waits(id, At(ms));
    EXPECT_EQ(turns_.Dawdler(At(ms + 399)), std::nullopt);
  }
}

TEST_F(TurnsTest, AnAddressAtItsLimitIsHurriedForItselfAlone) {
  Arrive(1, 4, "a");
  LetIn();
  EXPECT_THAT(turns_.Dawdler(At(500)), Optional(Turns::Id{1}));
  EXPECT_EQ(turns_.Dawdler(At(60'000)), std::nullopt) << "only one waits";
  Turns other(kLimits);
  for (Turns::Id id = 1; id <= 3; ++id) (void)other.Arrive(id, "a");
  while (other.Next(At(0))) {
  }
  EXPECT_EQ(other.Dawdler(At(500)), std::nullopt) << "nobody of it waits, and there is a thread";
}

TEST_F(TurnsTest, TheMoreWaitTheLessPatienceThereIs) {
  Turns turns({4, 4, 100, milliseconds(500), milliseconds(25), false});
  for (Turns::Id id = 1; id <= 4 + 16; ++id) EXPECT_EQ(turns.Arrive(id, "a"), std::nullopt);
  while (turns.Next(At(0))) {
  }
  EXPECT_EQ(turns.Dawdler(At(124)), std::nullopt);
  EXPECT_THAT(turns.Dawdler(At(125)), Optional(Turns::Id{1}));
  for (Turns::Id id = 21; id <= 100; ++id) EXPECT_EQ(turns.Arrive(id, "a"), std::nullopt);
  turns.Waits(2, At(200));
  turns.Works(3);
  turns.Works(4);
  EXPECT_EQ(turns.Dawdler(At(224)), std::nullopt);
  EXPECT_THAT(turns.Dawdler(At(225)), Optional(Turns::Id{2}));
}

TEST_F(TurnsTest, WhoHasGoneDoesNotWait) {
  Arrive(1, 5, "a");
  LetIn();
  turns_.Leave(4);
  turns_.Leave(1);
  EXPECT_THAT(LetIn(), ::testing::ElementsAre(5));
}

TEST_F(TurnsTest, WhoIsUnknownChangesNothing) {
  turns_.Works(7);
  turns_.Waits(7, At(0));
  turns_.Leave(7);
  EXPECT_EQ(turns_.Dawdler(At(1'000)), std::nullopt);
}

}  // namespace
}  // namespace sched_exporter
