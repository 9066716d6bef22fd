#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/lifecycle_truth.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {

/// The kernel's own figure of a cgroup's CPU time agrees so closely.
inline constexpr double kCpuTolerance = 0.001;
/// Sums of what overflowed rest for a second before they are counted.
inline constexpr std::chrono::seconds kSumsPatience{15};

/// One exporter after the other, with the same directories.
class PersistenceTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto hosts = TestableHierarchies();
    ASSERT_FALSE(hosts.empty()) << "no cgroup hierarchy is mounted";
    host_ = hosts.front();
    cgroup_.emplace(host_, "persistence");
    pins_ = "/sys/fs/bpf/sched_exporter_test_" + std::to_string(getpid());
    Configure("");
  }
  void TearDown() override {
    exporter_.reset();
    EXPECT_EQ(Detach().exit_code, 0);
    EXPECT_NE(access(pins_.c_str(), F_OK), 0) << "something is left in " << pins_;
  }

  void Configure(const std::string& more) {
    config_ = directory_.Write("config.yml", "persistence: {enabled: true, directory: " + State() +
                                                 ", pin_directory: " + pins_ +
                                                 "}\ncgroup: {hierarchy: " + host_.hierarchy +
                                                 "}\ncollection: {interval: 200ms}\n" + more);
  }
  std::string State() const { return directory_.path() + "/state"; }
  std::vector<std::string> Arguments() const { return {"--config.file=" + config_}; }

  void Start() {
    auto started = Exporter::Start({"", Arguments(), {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }
  Ended Detach() const {
    return RunProgram({ExporterBinary(), "--config.file=" + config_, "detach"});
  }

  /// An exporter that is killed whatever it does at that moment.
  void StartAndKillAfter(std::chrono::milliseconds time) const {
    const pid_t pid = ForkOrAbort();
    if (pid == 0) {
      close(STDERR_FILENO);
      execl(ExporterBinary().c_str(), "sched_exporter", "--allow-second-instance",
            "--web.listen-address=127.0.0.1:0", Arguments().front().c_str(), nullptr);
      _exit(127);
    }
    std::this_thread::sleep_for(time);
    kill(pid, SIGKILL);
    EXPECT_EQ(Wait(pid), 128 + SIGKILL);
  }

  /// A scrape; no counter may be below that of any scrape before, by whatever exporter, but those
  /// of the process itself.
  MetricsText Scrape() {
    auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    if (!metrics) {
      return {};
    }
    for (const std::string& line : BackwardCounters(last_, *metrics)) {
      EXPECT_THAT(line, testing::StartsWith("process_"));
    }
    last_ = *metrics;
    return *metrics;
  }

  void Run(Starter& starter) {
    auto report = starter.Run();
    ASSERT_TRUE(report) << report.error().message;
    reports_.push_back(std::move(*report));
  }

  double CpuOfCgroup(const MetricsText& metrics) const {
    return metrics.Sum("sched_cgroup_cpu_seconds_total", {{"cgroup", cgroup_->label()}});
  }

  /// Counts to the last one, and CPU time by the kernel's own figure; so many seconds of it may be
  /// another cgroup's.
  void ExpectAgreement(double foreign_seconds = 0) {
    std::vector<std::string> differences;
    const double usage = static_cast<double>(cgroup_->UsageNs()) / 1e9;
    WaitUntil(
        [&] {
          const MetricsText metrics = Scrape();
          differences = CgroupDifferences(metrics, cgroup_->label(), reports_);
          return differences.empty() && CpuOfCgroup(metrics) >= usage * (1 - kCpuTolerance);
        },
        kSumsPatience);
    EXPECT_THAT(differences, testing::IsEmpty());
    EXPECT_NEAR(CpuOfCgroup(last_), usage, usage * kCpuTolerance + foreign_seconds);
  }

  CgroupHost host_;
  std::optional<TestCgroup> cgroup_;
  TempDirectory directory_;
  std::string pins_;
  std::string config_;
  std::unique_ptr<Exporter> exporter_;
  MetricsText last_;
  std::vector<StarterReport> reports_;
};

}  // namespace sched_exporter::test_support
