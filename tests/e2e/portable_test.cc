// Portable mode, which is for kernels without BTF, on this kernel: against the kernel's figures of
// a cgroup, and what a starter of children counts itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/lifecycle_truth.h"
#include "tests/support/live_api.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kBtf[] = "/sys/kernel/btf/vmlinux";
constexpr char kCpu[] = "sched_cgroup_cpu_seconds_total";
constexpr std::chrono::seconds kPatience{15};

/// A hierarchy v2, which portable mode needs.
std::optional<CgroupHost> HostOfV2() {
  for (const CgroupHost& host : TestableHierarchies()) {
    if (host.hierarchy == "v2") {
      return host;
    }
  }
  return std::nullopt;
}

/// With what figures: by the clock, or by offsets from a file.
class PortableMode : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!HostOfV2()) {
      GTEST_SKIP() << "no cgroup v2 is mounted";
    }
    if (GetParam() && !std::filesystem::exists(kBtf)) {
      GTEST_SKIP() << "this kernel has no BTF that could stand for an external file";
    }
    cgroup_ = std::make_unique<TestCgroup>(*HostOfV2(), "portable");
  }

  void Start(const std::string& config = {}) {
    std::vector<std::string> arguments{"--bpf.mode=portable"};
    if (GetParam()) {
      arguments.push_back(std::string("--bpf.btf-path=") + kBtf);
    }
    auto started = Exporter::Start({config, arguments, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  MetricsText Scrape() const {
    const auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics ? *metrics : MetricsText();
  }

  /// Runs `body` in a child in the cgroup, to its end.
  void RunInCgroup(const std::function<void()>& body) const {
    EXPECT_EQ(Wait(Fork([&] {
                if (!cgroup_->Add(0)) {
                  return false;
                }
                body();
                return true;
              })),
              0);
  }

  double Seconds(const MetricsText& metrics) const {
    return metrics.Sum(kCpu, {{"cgroup", cgroup_->label()}});
  }

  /// The exporter's figure of the cgroup over the kernel's, when all of it has been told.
  double Ratio() const { return Seconds(Scrape()) * 1e9 / static_cast<double>(cgroup_->UsageNs()); }

  std::unique_ptr<TestCgroup> cgroup_;
  std::unique_ptr<Exporter> exporter_;
};

INSTANTIATE_TEST_SUITE_P(Figures, PortableMode, testing::Bool(), [](const auto& tested) {
  return tested.param ? "ByOffsets" : "ByTheClock";
});

TEST_P(PortableMode, SaysSoAndLeavesOutWhatItCannotTell) {
  Start();
  const MetricsText metrics = Scrape();
  EXPECT_EQ(metrics.Sum("sched_exporter_mode_info", {{"mode", "portable"}}), 1);
  EXPECT_EQ(metrics.Count("sched_exporter_mode_info"), 1U);
  EXPECT_THAT(exporter_->Log(), HasSubstr("portable mode, as --bpf.mode says"));
  for (const char* view : {"process", "group", "cgroup"}) {
    const std::string prefix = std::string("sched_") + view;
    EXPECT_GT(metrics.Count(prefix + "_cpu_seconds_total", {{"mode", "unknown"}}), 0U);
    EXPECT_GT(metrics.Count(prefix + "_context_switches_total"), 0U);
    for (const char* absent :
         {"_runqueue_wait_seconds_total", "_cpu_migrations_total", "_exec_failures_total",
          "_oom_kills_total", "_runqueue_latency_seconds_count", "_timeslice_seconds_count"}) {
      EXPECT_EQ(metrics.Count(prefix + absent), 0U) << prefix << absent;
    }
    for (const char* mode : {"user", "system"}) {
      EXPECT_EQ(metrics.Count(prefix + "_cpu_seconds_total", {{"mode", mode}}), 0U);
    }
  }
}

TEST_P(PortableMode, WaitsAreUnknownInTheApiNot0) {
  Start("live: {history: 1m}\n");
  RunInCgroup([] {});
  Json top;
  ASSERT_TRUE(WaitUntil([&] {
    top = GetJson(*exporter_, "/api/v1/top?view=process");
    return !top["time"].is_null() && !top["rows"].empty();
  }));
  EXPECT_TRUE(top["latency"].is_null());
  for (const Json& of : {top["host"], top["rows"][0]}) {
    EXPECT_TRUE(of["cpu"].is_number());
    EXPECT_TRUE(of["wait"].is_null());
    EXPECT_TRUE(of["history"]["wait"].back().is_null());
  }
  Json exit;
  ASSERT_TRUE(WaitUntil([&] {
    const Json events = GetJson(*exporter_, "/api/v1/events");
    for (const Json& event : events["events"]) {
      exit = event["event"] == "exit" ? event : exit;
    }
    return !exit.is_null();
  }));
  EXPECT_TRUE(exit.contains("run_seconds"));
  EXPECT_FALSE(exit.contains("wait_seconds"));
}

TEST_P(PortableMode, ABusyLoopHasTheKernelsCpuTime) {
  Start();
  RunInCgroup([] { Burn(std::chrono::milliseconds(1000)); });
  // By the clock, whatever the host takes away counts as CPU time. The last timeslice is told when
  // another task takes the CPU, which may be after the parent has reaped the child.
  const double tolerance = GetParam() ? 0.005 : 0.1;
  double ratio = 0;
  EXPECT_TRUE(WaitUntil(
      [&] {
        ratio = Ratio();
        return std::abs(ratio - 1) < tolerance;
      },
      kPatience))
      << ratio;
}

/// What runs all the time and never switches away on its own is in each scrape.
TEST_P(PortableMode, WhatRunsNowIsCounted) {
  Start();
  Gate end;
  const pid_t spinner = Fork([&] {
    bool added = cgroup_->Add(0);
    while (end.step() == 0) {
      Burn(std::chrono::milliseconds(5));
    }
    return added;
  });
  double last = 0;
  for (int i = 0; i < 5; ++i) {
    const std::uint64_t before_ns = cgroup_->UsageNs();
    WaitUntil([&] { return cgroup_->UsageNs() > before_ns + 50'000'000; }, kPatience);
    const double now = Seconds(Scrape());
    EXPECT_GT(now, last);
    last = now;
  }
  end.Open();
  Wait(spinner);
}

TEST_P(PortableMode, EndedChildrenAreCountedInFull) {
  constexpr int kChildren = 300;
  Start();
  RunInCgroup([] {
    for (int i = 0; i < kChildren; ++i) {
      Wait(Fork([] {
        Burn(std::chrono::milliseconds(2));
        return true;
      }));
    }
  });
  EXPECT_NEAR(Ratio(), 1, GetParam() ? 0.01 : 0.15);
}

TEST_P(PortableMode, CountsOfForksAndExecsAgree) {
  Start("maps: {events_bytes: 4194304}\n");
  Starter starter({.children = 700, .cgroups = {cgroup_->directory()}});
  const auto report = starter.Run();
  ASSERT_TRUE(report) << report.error().message;
  const Labels cgroup{{"cgroup", cgroup_->label()}};
  const StarterCounts& counts = report->counts;
  const auto agrees = [&] {
    const MetricsText metrics = Scrape();
    return metrics.Sum("sched_cgroup_forks_total", cgroup) == static_cast<double>(counts.forks) &&
           metrics.Sum("sched_cgroup_execs_total", cgroup) == static_cast<double>(counts.Execs()) &&
           metrics.Sum("sched_cgroup_exits_total", cgroup) == static_cast<double>(counts.Exits()) &&
           metrics.Sum("sched_cgroup_thread_starts_total", cgroup) ==
               static_cast<double>(counts.thread_starts);
  };
  EXPECT_TRUE(WaitUntil(agrees, kPatience));
  const MetricsText metrics = Scrape();
  EXPECT_EQ(metrics.Sum("sched_cgroup_forks_total", cgroup), static_cast<double>(counts.forks));
  EXPECT_EQ(metrics.Sum("sched_cgroup_execs_total", cgroup), static_cast<double>(counts.Execs()));
  EXPECT_EQ(metrics.Sum("sched_cgroup_exits_total", cgroup), static_cast<double>(counts.Exits()));
  EXPECT_EQ(metrics.Sum("sched_cgroup_thread_starts_total", cgroup),
            static_cast<double>(counts.thread_starts));
  EXPECT_EQ(
      metrics.Sum("sched_cgroup_exits_total", {{"cgroup", cgroup_->label()}, {"code", "other"}}),
      static_cast<double>(counts.Exits()));
}

/// Where the buffer is full, totals of the host stay whole, and nothing goes back.
TEST_P(PortableMode, LossesAreToldAndNothingGoesBack) {
  Start("maps: {events_bytes: 4096, tasks: 64}\n");
  const MetricsText before = Scrape();
  kill(exporter_->pid(), SIGSTOP);
  Starter starter({.children = 700, .cgroups = {cgroup_->directory()}});
  const auto report = starter.Run();
  kill(exporter_->pid(), SIGCONT);
  ASSERT_TRUE(report) << report.error().message;
  const auto grown = [&](const MetricsText& after, const char* family) {
    return after.Sum(family) - before.Sum(family);
  };
  const StarterCounts& counts = report->counts;
  MetricsText after = Scrape();
  WaitUntil(
      [&] {
        after = Scrape();
        return grown(after, "sched_cgroup_exits_total") >= static_cast<double>(counts.Exits());
      },
      kPatience);
  EXPECT_THAT(BackwardCounters(before, after), IsEmpty());
  EXPECT_GT(after.Sum("sched_exporter_lost_events_total"), 0);
  EXPECT_GT(after.Sum("sched_exporter_map_failed_updates_total", {{"map", "usages"}}), 0);
  // Others may start, too.
  EXPECT_GE(grown(after, "sched_cgroup_forks_total"), static_cast<double>(counts.forks));
  EXPECT_GE(grown(after, "sched_cgroup_execs_total"), static_cast<double>(counts.Execs()));
  EXPECT_GT(grown(after, "sched_unattributed_cpu_seconds_total"), 0);
  const double busy = grown(after, "sched_cpu_busy_seconds_total");
  const double attributed = grown(after, "sched_group_cpu_seconds_total");
  const double unattributed = grown(after, "sched_unattributed_cpu_seconds_total");
  EXPECT_NEAR(attributed + unattributed, busy, 0.05 * busy);
}

TEST_P(PortableMode, ProcessesAreThoseOfProc) {
  Start();
  const pid_t child = Fork([&] {
    SetComm("portable-child");
    pause();
    return true;
  });
  const std::string pid = std::to_string(child);
  EXPECT_TRUE(WaitUntil(
      [&] {
        return Scrape().Sum("sched_process_threads", {{"pid", pid}, {"comm", "portable-child"}}) ==
               1;
      },
      kPatience));
  kill(child, SIGKILL);
  Wait(child);
  EXPECT_TRUE(WaitUntil(
      [&] {
        return Scrape().Count("sched_process_threads", {{"pid", pid}}) == 0;
      },
      kPatience));
  const MetricsText metrics = Scrape();
  const double threads = metrics.Sum("sched_exporter_tasks");
  std::size_t in_proc = 0;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    std::filesystem::directory_iterator tasks(process.path() / "task", error);
    in_proc += error ? 0 : std::distance(tasks, {});
  }
  EXPECT_NEAR(threads, static_cast<double>(in_proc), 0.2 * threads) << "others come and go";
}

TEST(BpfMode, FullModeIsTakenWhereTheKernelHasBtf) {
  if (!std::filesystem::exists(kBtf)) {
    GTEST_SKIP() << "this kernel has no BTF";
  }
  auto exporter = Exporter::Start({{}, {std::string("--bpf.btf-path=") + kBtf}, {}});
  ASSERT_TRUE(exporter) << exporter.error().message;
  EXPECT_THAT((*exporter)->Log(), HasSubstr("--bpf.btf-path is not needed"));
  const auto metrics = (*exporter)->Scrape();
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->Sum("sched_exporter_mode_info", {{"mode", "full"}}), 1);
}

/// As on a kernel that was built without: all places where libbpf looks for it are covered.
const std::vector<std::string> kWithoutBtf{
    "unshare",
    "--mount",
    "sh",
    "-c",
    "for at in /sys/kernel/btf /boot /lib/modules /usr/lib/modules /usr/lib/debug; do "
    "if [ -d $at ]; then mount -t tmpfs none $at || exit 99; fi; done; exec \"$@\"",
    "sh"};

TEST(BpfMode, WithoutBtfPortableModeIsTaken) {
  if (!HostOfV2()) {
    GTEST_SKIP() << "no cgroup v2 is mounted";
  }
  auto exporter = Exporter::Start({{}, {}, kWithoutBtf});
  ASSERT_TRUE(exporter) << exporter.error().message;
  EXPECT_THAT((*exporter)->Log(), HasSubstr("portable mode, because the kernel has no BTF"));
  std::vector<std::string> full = kWithoutBtf;
  full.insert(full.end(), {ExporterBinary(), "--web.listen-address=127.0.0.1:0",
                           "--allow-second-instance", "--bpf.mode=full"});
  const Ended ended = RunProgram(full);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("has no BTF"));
}

TEST(BpfMode, WithoutPrivilegesItDoesNotFallBack) {
  const TempDirectory directory;
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string binary = directory.path() + "/sched_exporter";
  std::filesystem::copy_file(ExporterBinary(), binary);
  const Ended ended = RunProgram({"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
                                  "--inh-caps=-all", binary, "--web.listen-address=127.0.0.1:0",
                                  "--allow-second-instance"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, AllOf(HasSubstr("needs CAP_BPF"), Not(HasSubstr("portable"))));
}

/// What `--bpf.btf-path=FILE` says of a file that is no good.
std::string Refusal(const std::string& file) {
  const Ended ended =
      RunProgram({ExporterBinary(), "--web.listen-address=127.0.0.1:0", "--allow-second-instance",
                  "--bpf.mode=portable", "--bpf.btf-path=" + file});
  EXPECT_EQ(ended.exit_code, 1);
  return ended.output;
}

/// The BTF that a compiler writes for `source`.
std::string BtfOf(const TempDirectory& directory, const std::string& source) {
  const std::string file = directory.Write("types.c", source);
  const std::string object = directory.path() + "/types.o";
  const Ended built =
      RunProgram({"clang", "-g", "-O2", "-target", "bpf", "-c", file, "-o", object});
  EXPECT_EQ(built.exit_code, 0) << built.output;
  return object;
}

TEST(BtfPath, WrongFilesAreRefused) {
  const TempDirectory directory;
  EXPECT_THAT(Refusal("/nowhere/vmlinux"),
              AllOf(HasSubstr("/nowhere/vmlinux"), HasSubstr("No such file")));
  EXPECT_THAT(Refusal(directory.Write("text", "no BTF\n")),
              AllOf(HasSubstr("/text"), HasSubstr("is no BTF file")));
  EXPECT_THAT(Refusal(BtfOf(directory, "struct { int x; } a;")),
              AllOf(HasSubstr("types.o"), HasSubstr("no task_struct")));
  // All fields are there, but not where this kernel has them.
  EXPECT_THAT(Refusal(BtfOf(directory,
                            "struct sched_entity { unsigned long sum_exec_runtime, "
                            "prev_sum_exec_runtime; };\n"
                            "struct task_struct { int pid, tgid; unsigned __state; "
                            "struct sched_entity se; } a;")),
              AllOf(HasSubstr("another kernel's BTF"), HasSubstr("uname -r")));
}

}  // namespace
}  // namespace sched_exporter::test_support
