#include "exporter/ledger/label_floors.h"

#include <gtest/gtest.h>

namespace sched_exporter {
namespace {

constexpr std::uint64_t kKeepNs = 1'000'000;

class LabelFloorsTest : public testing::Test {
 protected:
  void Leave(std::uint32_t pid, std::uint64_t now_ns) {
    LabelFloors::Said said;
    said.totals.wait_ns = 100;
    floors_.Leave(pid, Comm{}, said, now_ns);
  }

  bool Remembers(std::uint32_t pid) const {
    return floors_.Offset(pid, Comm{}, Totals{}).totals.wait_ns == 100;
  }

  LabelFloors floors_;
};

TEST_F(LabelFloorsTest, BeyondTheLimitWhatWasLeftFirstGoesWhateverItsPid) {
  Leave(30, 1);
  Leave(10, 2);
  Leave(20, 3);
  floors_.Prune(3, kKeepNs, 2);
  EXPECT_FALSE(Remembers(30));
  EXPECT_TRUE(Remembers(10));
  EXPECT_TRUE(Remembers(20));
}

TEST_F(LabelFloorsTest, WhatWasLeftJustNowStaysBeyondTheLimit) {
  Leave(1, 1);
  Leave(10, 2);
  Leave(20, 2);
  Leave(30, 2);
  floors_.Prune(2, kKeepNs, 2);
  EXPECT_FALSE(Remembers(1));
  EXPECT_TRUE(Remembers(10));
  EXPECT_TRUE(Remembers(20));
  EXPECT_TRUE(Remembers(30));
  floors_.Prune(3, kKeepNs, 2);
  EXPECT_FALSE(Remembers(10));
}

TEST_F(LabelFloorsTest, WhatIsOldGoes) {
  Leave(10, 1);
  Leave(20, 2);
  floors_.Prune(kKeepNs + 2, kKeepNs, 10);
  EXPECT_FALSE(Remembers(10));
  EXPECT_TRUE(Remembers(20));
}

}  // namespace
}  // namespace sched_exporter
