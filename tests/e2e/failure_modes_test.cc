// What stops the exporter: one line that says why and what to do, and nothing left behind.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/bpf_objects.h"
#include "tests/support/confined_thread.h"
#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

constexpr int kFailure = 1;
constexpr int kUsageError = 2;

/// What the log said before the end is left out.
std::string WithoutLog(const std::string& output) {
  return std::regex_replace(output, std::regex("time=[^\n]*\n"), "");
}

class FailureModes : public ::testing::Test {
 protected:
  /// Runs the exporter, which should fail, in an empty working directory.
  Ended Run(const std::vector<std::string>& arguments,
            const std::vector<std::string>& prefix = {}) const {
    std::vector<std::string> argv = {"env", "-C", working_directory_.path()};
    argv.insert(argv.end(), prefix.begin(), prefix.end());
    argv.insert(argv.end(), {ExporterBinary(), "--allow-second-instance"});
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return RunProgram(argv);
  }

  void ExpectRefusal(const Ended& ended, const std::string& message,
                     int exit_code = kFailure) const {
    EXPECT_EQ(WithoutLog(ended.output), "sched_exporter: " + message + "\n");
    EXPECT_EQ(ended.exit_code, exit_code);
    EXPECT_TRUE(working_directory_.IsEmpty()) << "left files in its working directory";
    EXPECT_TRUE(NothingIsOrphaned());
  }

  /// Programs that are new since the test began and that no process holds; others may be running
  /// exporters of their own. The kernel frees objects a moment after their last user.
  bool NothingIsOrphaned() const {
    return WaitUntil([this] {
      const BpfObjects fresh = Without(AllBpfObjects(), before_);
      return Without(fresh, HeldBpfObjects()).empty();
    });
  }

  const TempDirectory directory_;
  const TempDirectory working_directory_;
  const BpfObjects before_ = AllBpfObjects();
};

/// A command line that is refused, and how.
struct BadFlag {
  std::string name;
  std::string flag;
  std::string message;
};

class RefusedFlag : public FailureModes, public ::testing::WithParamInterface<BadFlag> {};

TEST_P(RefusedFlag, IsNamedInOneLine) {
  ExpectRefusal(Run({GetParam().flag}), GetParam().message, kUsageError);
}

INSTANTIATE_TEST_SUITE_P(
    FailureModes, RefusedFlag,
    ::testing::Values(
        BadFlag{"Unknown", "--bogus",
                "The following argument was not expected: --bogus; see --help"},
        BadFlag{"NoFlag", "extra", "The following argument was not expected: extra; see --help"},
        BadFlag{"LogLevel", "--log.level=loud",
                "--log.level: loud not in {debug,info,warn,error}; see --help"},
        BadFlag{"LogFormat", "--log.format=xml",
                "--log.format: xml not in {logfmt,json}; see --help"},
        BadFlag{"TelemetryPath", "--web.telemetry-path=metrics",
                "--web.telemetry-path: expected a path like /metrics, got \"metrics\"; see --help"},
        BadFlag{"TelemetryPathOfAnAsset", "--web.telemetry-path=/assets/app.js",
                "--web.telemetry-path: the path /assets/app.js is taken; see --help"},
        BadFlag{"ControlCharacters", "--web.telemetry-path=\x1b[31m\xe2\x80\xaeä",
                "--web.telemetry-path: expected a path like /metrics, got "
                "\"\\x1b[31m\\u{202e}ä\"; see --help"},
        BadFlag{"TelemetryPathInUse", "--web.telemetry-path=/healthz",
                "--web.telemetry-path: the path /healthz is taken; see --help"},
        BadFlag{"MissingValue", "--config.file",
                "--config.file: 1 required FILE missing; see --help"}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(FailureModes, WithoutRootTheNeededCapabilitiesAreNamed) {
  const Ended ended = Run({}, {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                               "--inh-caps=-all", "--bounding-set=-all"});
  ExpectRefusal(ended,
                "cannot load BPF programs: needs CAP_BPF and CAP_PERFMON (or root); see README, "
                "Permissions");
}

TEST_F(FailureModes, AsRootWithoutCapabilitiesTheNeededOnesAreNamed) {
  const Ended ended = Run({}, {"setpriv", "--inh-caps=-all", "--bounding-set=-all"});
  ExpectRefusal(ended,
                "cannot load BPF programs: needs CAP_BPF and CAP_PERFMON (or root); see README, "
                "Permissions");
}

TEST_F(FailureModes, WithoutBtfTheKernelOptionIsNamed) {
  // All places where libbpf looks for the kernel's types.
  const std::string hide =
      "for at in /sys/kernel/btf /boot /lib/modules /usr/lib/modules /usr/lib/debug; do "
      "if [ -d $at ]; then mount -t tmpfs none $at || exit 99; fi; done; exec \"$@\"";
  const Ended ended = Run({"--bpf.mode=full"}, {"unshare", "-m", "sh", "-c", hide, "sh"});
  ExpectRefusal(ended,
                "cannot load BPF programs: the kernel has no BTF (/sys/kernel/btf/vmlinux); needs "
                "a kernel built with CONFIG_DEBUG_INFO_BTF=y, see README, Requirements");
}

TEST_F(FailureModes, ForeignPidNamespaceIsRefused) {
  const Ended ended = Run({}, {"unshare", "--pid", "--fork", "--mount-proc"});
  ExpectRefusal(ended,
                "needs the host's PID namespace to see all tasks; run the container with hostPID: "
                "true (Kubernetes) or --pid=host, see README, Requirements");
}

TEST_F(FailureModes, BpfForbiddenBySeccompIsToldFromMissingCapabilities) {
  Ended ended;
  ASSERT_TRUE(WithBpfForbidden(EPERM, [&] { ended = Run({}); }));
  ExpectRefusal(ended,
                "cannot load BPF programs: bpf() is forbidden although the capabilities are there, "
                "probably by a seccomp profile or a security module; allow it, see README, "
                "Permissions");
}

TEST_F(FailureModes, BpfHiddenBySeccompIsSaid) {
  Ended ended;
  ASSERT_TRUE(WithBpfForbidden(ENOSYS, [&] { ended = Run({}); }));
  ExpectRefusal(ended,
                "cannot load BPF programs: the kernel or a seccomp profile has no bpf(); see "
                "README, Permissions");
}

TEST_F(FailureModes, MalformedAddressIsShown) {
  ExpectRefusal(Run({"--web.listen-address=nonsense"}),
                "invalid listen address \"nonsense\": expected host:port, [ipv6]:port or :port");
}

TEST_F(FailureModes, PortInUseIsNamed) {
  const auto first = Exporter::Start();
  ASSERT_TRUE(first) << first.error().message;
  const std::string address = "127.0.0.1:" + std::to_string((*first)->port());
  ExpectRefusal(Run({"--web.listen-address=" + address}),
                "cannot listen on \"" + address +
                    "\": address already in use; choose another with --web.listen-address");
}

TEST_F(FailureModes, BrokenConfigIsShownWithLineAndColumn) {
  const std::string file =
      directory_.Write("config.yml", "limits:\n  groups: 10\n  processes: 0\n");
  ExpectRefusal(Run({"--config.file=" + file}),
                file + ":3:14: limits.processes: expected an integer from 1 to 100000, got \"0\"");
}

TEST_F(FailureModes, MissingConfigIsNamed) {
  const std::string file = directory_.path() + "/none.yml";
  ExpectRefusal(Run({"--config.file=" + file}),
                "cannot open config file " + file + ": No such file or directory");
}

TEST_F(FailureModes, DirectoryAsConfigIsRefused) {
  ExpectRefusal(Run({"--config.file=" + directory_.path()}),
                "cannot read config file " + directory_.path() + ": not a regular file");
}

TEST_F(FailureModes, FifoAsConfigIsRefusedAndNotWaitedFor) {
  const std::string fifo = directory_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ExpectRefusal(Run({"--config.file=" + fifo}),
                "cannot read config file " + fifo + ": not a regular file");
}

TEST_F(FailureModes, MapsThatDoNotFitIntoMemoryAreNamed) {
  const std::filesystem::path root = "/sys/fs/cgroup/memory";
  if (!std::filesystem::exists(root / "memory.limit_in_bytes")) {
    GTEST_SKIP() << "needs the memory controller at " << root;
  }
  // Before 5.11 maps count against RLIMIT_MEMLOCK instead of the cgroup, and this would not fail.
  const std::filesystem::path cgroup = root / ("sched_exporter_test." + std::to_string(getpid()));
  ASSERT_TRUE(std::filesystem::create_directory(cgroup));
  const std::string enter =
      "echo 400M > $0/memory.limit_in_bytes && echo $$ > $0/cgroup.procs && exec \"$@\"";
  const std::string file = directory_.Write("config.yml", "maps:\n  tasks: 4194304\n");
  const Ended ended = Run({"--config.file=" + file}, {"sh", "-c", enter, cgroup});
  EXPECT_TRUE(WaitUntil([&] { return rmdir(cgroup.c_str()) == 0; }));
  ExpectRefusal(ended,
                "cannot load BPF programs: not enough memory for the maps; make maps.tasks or "
                "maps.cgroups smaller");
}

TEST_F(FailureModes, SecondInstanceNamesTheFirst) {
  const bool confined = InPrivateNetwork([this] {
    Exporter::Settings settings;
    settings.allow_second_instance = false;
    const auto first = Exporter::Start(settings);
    ASSERT_TRUE(first) << first.error().message;
    const std::vector<std::string> second = {ExporterBinary(), "--web.listen-address=127.0.0.1:0"};
    ExpectRefusal(RunProgram(second),
                  "another sched_exporter runs already (pid " + std::to_string((*first)->pid()) +
                      "); stop it, or start this one with --allow-second-instance");
    EXPECT_TRUE((*first)->Scrape()) << "the first one must not suffer";
    settings.allow_second_instance = true;
    EXPECT_TRUE(Exporter::Start(settings)) << "the flag allows it";
  });
  EXPECT_TRUE(confined);
}

TEST_F(FailureModes, SomebodyElsesSocketDoesNotStandInTheWay) {
  const bool confined = InPrivateNetwork([] {
    constexpr uid_t kNobody = 65534;
    Gate bound;
    const pid_t other = Fork([&] {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      constexpr std::string_view kName("\0sched_exporter/instance", 24);
      std::memcpy(address.sun_path, kName.data(), kName.size());
      const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + kName.size());
      const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
      const bool taken = setresuid(kNobody, kNobody, kNobody) == 0 &&
                         bind(listener, reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
                         listen(listener, 1) == 0;
      bound.Open(taken ? 1 : 2);
      pause();
      return true;
    });
    bound.WaitFor();
    EXPECT_EQ(bound.step(), 1);
    Exporter::Settings settings;
    settings.allow_second_instance = false;
    const auto exporter = Exporter::Start(settings);
    EXPECT_TRUE(exporter) << exporter.error().message;
    kill(other, SIGKILL);
    Wait(other);
  });
  EXPECT_TRUE(confined);
}

TEST_F(FailureModes, KilledInstanceDoesNotStandInTheWayOfTheNext) {
  const bool confined = InPrivateNetwork([] {
    Exporter::Settings settings;
    settings.allow_second_instance = false;
    const auto first = Exporter::Start(settings);
    ASSERT_TRUE(first) << first.error().message;
    (*first)->End(SIGKILL);
    const auto next = Exporter::Start(settings);
    EXPECT_TRUE(next) << next.error().message;
  });
  EXPECT_TRUE(confined);
}

// How it ends when it is asked to: soon, with exit code 0, and without a trace in the kernel.

using Clock = std::chrono::steady_clock;

const std::chrono::seconds kLimit{IsSanitized() ? 5 : 1};

/// The promise is about the exporter; a machine that has something else to do for a moment must not
/// break it. So the best of a few counts.
constexpr int kAttempts = 5;

std::unique_ptr<Exporter> StartExporter() {
  auto exporter = Exporter::Start();
  EXPECT_TRUE(exporter) << exporter.error().message;
  return exporter ? std::move(*exporter) : nullptr;
}

/// Ends `exporter`, checks how, and returns how long it took.
Clock::duration EndCleanly(Exporter& exporter, int signal) {
  const BpfObjects held = HeldBpfObjects(exporter.pid());
  EXPECT_FALSE(held.programs.empty());
  EXPECT_FALSE(held.maps.empty());
  EXPECT_FALSE(held.links.empty());
  const int port = exporter.port();
  const Clock::time_point begin = Clock::now();
  const Ended ended = exporter.End(signal);
  const Clock::duration took = Clock::now() - begin;
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_TRUE(WaitUntil([&] { return Common(held, AllBpfObjects()).empty(); }))
      << "BPF objects are left in the kernel";
  EXPECT_FALSE(HttpConnection::Open(port)) << "the port is still open";
  return took;
}

class Shutdown : public ::testing::TestWithParam<int> {
 protected:
  /// Ends exporters until one ends in time. `prepare` sets the scene for each and returns what
  /// keeps it so; that lives until the exporter has ended.
  template <typename Prepare>
  static void ExpectInTime(const Prepare& prepare) {
    Clock::duration best = Clock::duration::max();
    for (int i = 0; i < kAttempts && best > kLimit; ++i) {
      const auto exporter = StartExporter();
      ASSERT_NE(exporter, nullptr);
      [[maybe_unused]] const auto scene = prepare(*exporter);
      best = std::min(best, EndCleanly(*exporter, GetParam()));
    }
    EXPECT_LE(best, kLimit);
  }
};

/// Connections that have been served and wait for their next request.
std::vector<HttpConnection> IdleConnections(const Exporter& exporter) {
  constexpr int kCount = 12;  // The server has 16 threads.
  std::vector<HttpConnection> idle;
  for (int i = 0; i < kCount; ++i) {
    auto connection = HttpConnection::Open(exporter.port());
    if (connection && connection->Send(RequestText("GET", "/healthz")) && connection->ReadReply()) {
      idle.push_back(std::move(*connection));
    }
  }
  EXPECT_EQ(idle.size(), kCount);
  return idle;
}

/// Threads that scrape without a pause, and have begun to.
class Scrapers {
 public:
  explicit Scrapers(const Exporter& exporter) {
    constexpr int kThreads = 4;
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this, port = exporter.port()] {
        while (!stop_) {
          scrapes_ += HttpGet(port, "/metrics").has_value() ? 1 : 0;
        }
      });
    }
    EXPECT_TRUE(WaitUntil([this] { return scrapes_ > 2 * kThreads; }));
  }
  ~Scrapers() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }
  Scrapers(const Scrapers&) = delete;
  Scrapers& operator=(const Scrapers&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> scrapes_{0};
  std::vector<std::thread> threads_;
};

TEST_P(Shutdown, EndsWithinASecondAndLeavesNothing) {
  ExpectInTime([](const Exporter&) { return 0; });
}

TEST_P(Shutdown, EndsWithinASecondWhileConnectionsIdle) { ExpectInTime(IdleConnections); }

TEST_P(Shutdown, EndsWithinASecondWhileClientsScrape) {
  ExpectInTime([](const Exporter& exporter) { return std::make_unique<Scrapers>(exporter); });
}

INSTANTIATE_TEST_SUITE_P(Signals, Shutdown, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& tested) {
                           return std::string(tested.param == SIGTERM ? "Sigterm" : "Sigint");
                         });

TEST(Killed, LeavesNothingInTheKernel) {
  const auto exporter = StartExporter();
  ASSERT_NE(exporter, nullptr);
  const BpfObjects held = HeldBpfObjects(exporter->pid());
  ASSERT_FALSE(held.programs.empty());
  EXPECT_EQ(exporter->End(SIGKILL).exit_code, 128 + SIGKILL);
  EXPECT_TRUE(WaitUntil([&] { return Common(held, AllBpfObjects()).empty(); }));
}

}  // namespace
}  // namespace sched_exporter::test_support
