// Which configurations go on needing a capability; what then stays is in e2e/privileges_test.cc.

#include "exporter/app/privileges.h"

#include <gtest/gtest.h>

#include "exporter/app/from_config.h"

namespace sched_exporter {
namespace {

TEST(LastingNeeds, LowPortsAreThoseBelow1024) {
  EXPECT_TRUE(HasLowPort({":10140", "127.0.0.1:1023"}));
  EXPECT_TRUE(HasLowPort({"[::1]:1"}));
  EXPECT_FALSE(HasLowPort({":10140", "127.0.0.1:1024"}));
}

TEST(LastingNeeds, APortThatTheKernelChoosesIsHigh) { EXPECT_FALSE(HasLowPort({":0"})); }

TEST(LastingNeeds, WhatIsNoAddressHasNoPort) { EXPECT_FALSE(HasLowPort({"80", "", "nonsense"})); }

TEST(LastingNeeds, ExesOfOthersAreReadForTheirLabelAlone) {
  Config config;
  EXPECT_TRUE(ReadsForeignExes(config));
  config.labels.omit = {LabelSwitch::kProcessInfoUser};
  EXPECT_TRUE(ReadsForeignExes(config));
  config.labels.omit = {LabelSwitch::kProcessInfoExe};
  EXPECT_FALSE(ReadsForeignExes(config));
}

}  // namespace
}  // namespace sched_exporter
