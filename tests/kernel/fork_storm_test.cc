#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

const int kChildren = ShareOfLoad(10'000);
constexpr double kAgreement = 0.001;

/// The CPU time of the cgroup by the exporter over that by the kernel.
double Ratio(const Exporter& exporter, const TestCgroup& cgroup) {
  const auto metrics = exporter.Scrape();
  EXPECT_TRUE(metrics) << metrics.error().message;
  const double seconds =
      metrics ? metrics->Sum("sched_cgroup_cpu_seconds_total", {{"cgroup", cgroup.label()}}) : 0;
  return seconds * 1e9 / static_cast<double>(cgroup.UsageNs());
}

/// A child that was waited for may have its last switch to come, which tells all that it used.
void ExpectAgreement(const Exporter& exporter, const TestCgroup& cgroup) {
  double ratio = 0;
  EXPECT_TRUE(WaitUntil([&] {
    ratio = Ratio(exporter, cgroup);
    return std::abs(ratio - 1) <= kAgreement;
  })) << ratio;
}

/// Sums of what was lost on the way rest for more than a second before they are counted.
void WaitForSums(const Exporter& exporter) {
  for (int i = 0; i < 5; ++i) {
    usleep(700'000);
    exporter.Scrape();
  }
}

void RunStorm(const TestCgroup& cgroup) {
  const pid_t storm = ForkMoved([&](pid_t pid) { return cgroup.Add(pid); },
                                [] { return SpawnMany("/bin/true", kChildren, 8); });
  ASSERT_EQ(Wait(storm), 0);
}

class ForkStorm : public testing::TestWithParam<CgroupHost> {
 protected:
  std::string Config(const std::string& maps) const {
    return "cgroup: {hierarchy: " + GetParam().hierarchy + "}\nmaps: {" + maps + "}\n";
  }
};

TEST_P(ForkStorm, AgreesWithTheKernelsFigure) {
  const auto exporter = Exporter::Start({Config("tasks: 16384"), {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  const TestCgroup cgroup(GetParam(), "storm");
  RunStorm(cgroup);
  ExpectAgreement(**exporter, cgroup);
}

TEST_P(ForkStorm, AgreesWithTheSmallestHashAndOthersThatEvict) {
  const auto exporter = Exporter::Start({Config("tasks: 1"), {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  Gate end;
  const pid_t others = Fork([&] {
    for (int i = 0; i < ShareOfLoad(2000, 100); ++i) {
      Fork([&] {
        while (end.step() == 0) {
          usleep(100'000);
        }
        return true;
      });
    }
    while (wait(nullptr) > 0) {
    }
    return true;
  });
  const TestCgroup cgroup(GetParam(), "evicted");
  RunStorm(cgroup);
  ExpectAgreement(**exporter, cgroup);
  end.Open();
  Wait(others);
}

TEST_P(ForkStorm, AgreesWithTheSmallestBuffer) {
  const auto exporter = Exporter::Start({Config("events_bytes: 4096"), {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  const TestCgroup cgroup(GetParam(), "overflow");
  // A reader that sleeps is the surest way to fill a buffer.
  kill((*exporter)->pid(), SIGSTOP);
  RunStorm(cgroup);
  kill((*exporter)->pid(), SIGCONT);
  WaitForSums(**exporter);
  ExpectAgreement(**exporter, cgroup);
  const auto metrics = (*exporter)->Scrape();
  ASSERT_TRUE(metrics);
  EXPECT_GT(metrics->Sum("sched_exporter_lost_events_total", {{"buffer", "finished"}}), 0);
  EXPECT_EQ(metrics->Sum("sched_unattributed_cpu_seconds_total"), 0);
}

TEST_P(ForkStorm, WhatNoBufferTakesIsUnattributed) {
  const auto exporter = Exporter::Start({Config("events_bytes: 4096, sums: 1"), {}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  const TestCgroup first(GetParam(), "first");
  const TestCgroup second(GetParam(), "second");
  kill((*exporter)->pid(), SIGSTOP);
  RunStorm(first);
  RunStorm(second);
  kill((*exporter)->pid(), SIGCONT);
  WaitForSums(**exporter);
  const auto metrics = (*exporter)->Scrape();
  ASSERT_TRUE(metrics);
  const double unattributed = metrics->Sum("sched_unattributed_cpu_seconds_total");
  EXPECT_GT(unattributed, 0);
  double attributed = 0;
  double kernel = 0;
  for (const TestCgroup* cgroup : {&first, &second}) {
    attributed += metrics->Sum("sched_cgroup_cpu_seconds_total", {{"cgroup", cgroup->label()}});
    kernel += static_cast<double>(cgroup->UsageNs()) / 1e9;
  }
  // Others on the machine may have finished tasks without a place, too.
  EXPECT_GE((attributed + unattributed) / kernel, 1 - kAgreement);
  EXPECT_LE(attributed / kernel, 1 + kAgreement);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, ForkStorm, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

}  // namespace
}  // namespace sched_exporter::test_support
