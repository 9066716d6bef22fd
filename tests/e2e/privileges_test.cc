// What the exporter needs to start, and what is left of it while it serves: docs/operations.md,
// Privileges. The kernel tells, in /proc/PID/task/TID/status.

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t Bit(unsigned capability) { return std::uint64_t{1} << capability; }

/// The words behind the keys of a status file.
using Status = std::map<std::string, std::string>;

Status ReadStatus(const fs::path& file) {
  Status status;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon != std::string::npos) {
      status[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return status;
}

std::string Hex(std::uint64_t set) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(set));
  return text.data();
}

/// Each thread has exactly these capabilities, no way to others, and the filter.
void ExpectLeft(pid_t pid, std::uint64_t capabilities, const std::string& bounding) {
  int threads = 0;
  for (const auto& task : fs::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    Status status = ReadStatus(task.path() / "status");
    SCOPED_TRACE(status["Name"] + " " + status["Pid"]);
    ++threads;
    EXPECT_EQ(status["CapEff"], Hex(capabilities));
    EXPECT_EQ(status["CapPrm"], Hex(capabilities));
    EXPECT_EQ(status["CapInh"], Hex(0));
    EXPECT_EQ(status["CapAmb"], Hex(0));
    EXPECT_EQ(status["CapBnd"], bounding);
    EXPECT_EQ(status["NoNewPrivs"], "1");
    EXPECT_EQ(status["Seccomp"], "2");
  }
  EXPECT_GT(threads, 0);
}

/// What bpf() wants for maps that are open: before Linux 5.19 where
/// kernel.unprivileged_bpf_disabled is set. 0 there can still be changed, and the exporter keeps
/// what it would need then.
std::uint64_t ForMaps() {
  utsname names{};
  int major = 0;
  int minor = 0;
  uname(&names);
  EXPECT_EQ(std::sscanf(names.release, "%d.%d", &major, &minor), 2);
  int disabled = 0;
  std::ifstream("/proc/sys/kernel/unprivileged_bpf_disabled") >> disabled;
  const bool wants = disabled == 0 || major * 1000 + minor < 5019;
  return wants ? Bit(CAP_BPF) : 0;
}

/// 50 execs are counted, at once or, where the buffer was full, with a later sweep; and CPU time.
void ExpectCounts(const Exporter& exporter) {
  const TempDirectory directory;
  const std::string probe = directory.path() + "/probe" + std::to_string(getpid());
  fs::copy("/bin/true", probe);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(RunProgram({probe}).exit_code, 0);
  }
  const Labels group = {{"group", fs::path(probe).filename().string().substr(0, 15)}};
  MetricsText scrape;
  EXPECT_TRUE(WaitUntil([&] {
    auto text = exporter.Scrape();
    scrape = text ? std::move(*text) : MetricsText();
    return scrape.Sum("sched_group_execs_total", group) >= 50;
  }));
  EXPECT_EQ(scrape.Sum("sched_group_execs_total", group), 50);
  EXPECT_GT(scrape.Sum("sched_group_cpu_seconds_total", group), 0);
  EXPECT_GT(scrape.Sum("sched_cpu_busy_seconds_total"), 0);
}

std::unique_ptr<Exporter> StartWith(const Exporter::Settings& settings) {
  auto exporter = Exporter::Start(settings);
  EXPECT_TRUE(exporter) << exporter.error().message;
  return exporter ? std::move(*exporter) : nullptr;
}

TEST(Privileges, OfRootOnlyWhatServingTakesIsLeft) {
  const auto exporter = StartWith({});
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps() | Bit(CAP_SYS_PTRACE), Hex(0));
  ExpectCounts(*exporter);
}

TEST(Privileges, WithoutTheLabelExeNothingIsLeftForIt) {
  Exporter::Settings settings;
  settings.config = "labels:\n  omit: [process_info.exe]\n";
  const auto exporter = StartWith(settings);
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps(), Hex(0));
  ExpectCounts(*exporter);
  std::ofstream(exporter->config_path()) << "limits: {groups: 100}\n";
  kill(exporter->pid(), SIGHUP);
  EXPECT_TRUE(WaitUntil([&] {
    return exporter->Log().find("config reloaded; the label exe was omitted at the start") !=
           std::string::npos;
  })) << exporter->Log();
}

/// Asks for a reload, and waits until the log has one more line with `outcome`.
bool Reloads(const Exporter& exporter, const std::string& outcome) {
  const auto count = [&] {
    const std::string log = exporter.Log();
    int found = 0;
    for (std::size_t at = log.find(outcome); at != std::string::npos;
         at = log.find(outcome, at + 1)) {
      ++found;
    }
    return found;
  };
  const int before = count();
  kill(exporter.pid(), SIGHUP);
  return WaitUntil([&] { return count() > before; });
}

TEST(Privileges, RootReadsItsOwnFilesAndNobodyElses) {
  Exporter::Settings settings;
  settings.config = "limits: {groups: 100}\n";
  const auto exporter = StartWith(settings);
  ASSERT_NE(exporter, nullptr);
  const std::string file = exporter->config_path();
  fs::permissions(file, fs::perms(0600));
  EXPECT_TRUE(Reloads(*exporter, "\"config reloaded\""));
  ASSERT_EQ(chown(file.c_str(), 65534, 65534), 0);
  EXPECT_TRUE(Reloads(*exporter, "config not reloaded"));
  ASSERT_EQ(chown(file.c_str(), 0, 0), 0);
  EXPECT_TRUE(Reloads(*exporter, "\"config reloaded\""));
}

/// Below 1024, of 127.0.0.1, free now.
int LowPort() {
  for (int port = 1023; port > 512; --port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
      return port;
    }
  }
  return 0;
}

TEST(Privileges, ForALowPortItsCapabilityIsLeft) {
  Exporter::Settings settings;
  settings.address = "127.0.0.1:" + std::to_string(LowPort());
  const auto exporter = StartWith(settings);
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps() | Bit(CAP_SYS_PTRACE) | Bit(CAP_NET_BIND_SERVICE), Hex(0));
}

/// A directory that everybody may enter, with copies of the binary.
class OrdinaryUser : public testing::Test {
 protected:
  OrdinaryUser() { fs::permissions(directory_.path(), fs::perms(0755)); }

  /// A user with no capability but those that the file has, as "cap_bpf,cap_perfmon".
  Exporter::Settings WithFile(const std::string& capabilities) const {
    Exporter::Settings settings;
    settings.binary = directory_.path() + "/sched_exporter";
    settings.prefix = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                       "--inh-caps=-all"};
    fs::copy_file(ExporterBinary(), settings.binary);
    EXPECT_EQ(RunProgram({"setcap", capabilities + "=p", settings.binary}).exit_code, 0);
    return settings;
  }

  /// Starts it as this user, who may not, and returns what it says.
  std::string Refusal(const std::string& capabilities) const {
    const Exporter::Settings settings = WithFile(capabilities);
    std::vector<std::string> argv = settings.prefix;
    argv.insert(argv.end(),
                {settings.binary, "--allow-second-instance", "--web.listen-address=127.0.0.1:0"});
    const Ended ended = RunProgram(argv);
    EXPECT_EQ(ended.exit_code, 1);
    return ended.output;
  }

  /// The bounding set of who runs the tests, which nobody here may change.
  const std::string bounding_ = ReadStatus("/proc/self/status")["CapBnd"];
  const TempDirectory directory_;
};

TEST_F(OrdinaryUser, WithTheTwoCapabilitiesOnTheFileItWorks) {
  const auto exporter = StartWith(WithFile("cap_bpf,cap_perfmon"));
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps(), bounding_);
  ExpectCounts(*exporter);
}

TEST_F(OrdinaryUser, WithoutCapBpfThatIsNamed) {
  EXPECT_EQ(Refusal("cap_perfmon"),
            "sched_exporter: cannot load BPF programs: needs CAP_BPF; it has CAP_PERFMON; see "
            "README, Permissions\n");
}

TEST_F(OrdinaryUser, WithoutCapPerfmonThatIsNamed) {
  EXPECT_EQ(Refusal("cap_bpf"),
            "sched_exporter: cannot load BPF programs: needs CAP_PERFMON; it has CAP_BPF; see "
            "README, Permissions\n");
}

TEST_F(OrdinaryUser, WithAnotherCapabilityBothAreNamed) {
  EXPECT_EQ(
      Refusal("cap_sys_ptrace"),
      "sched_exporter: cannot load BPF programs: needs CAP_BPF and CAP_PERFMON (or root); see "
      "README, Permissions\n");
}

TEST_F(OrdinaryUser, WithCapSysAdminAloneItWorksAndKeepsItNowhereInVain) {
  const auto exporter = StartWith(WithFile("cap_sys_admin"));
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps() == 0 ? 0 : Bit(CAP_SYS_ADMIN), bounding_);
  ExpectCounts(*exporter);
}

TEST_F(OrdinaryUser, AmbientCapabilitiesAsASystemdUnitHasThemAreNotPassedOn) {
  Exporter::Settings settings;
  settings.prefix = {"setpriv",
                     "--reuid=65534",
                     "--regid=65534",
                     "--clear-groups",
                     "--no-new-privs",
                     "--inh-caps=-all,+bpf,+perfmon,+sys_ptrace",
                     "--ambient-caps=-all,+bpf,+perfmon,+sys_ptrace"};
  settings.binary = WithFile("cap_bpf").binary;  // the build's own directory may not be open to it
  ASSERT_EQ(RunProgram({"setcap", "-r", settings.binary}).exit_code, 0);
  const auto exporter = StartWith(settings);
  ASSERT_NE(exporter, nullptr);
  ExpectLeft(exporter->pid(), ForMaps() | Bit(CAP_SYS_PTRACE), bounding_);
}

TEST(Privileges, TheEventsCommandKeepsNoMoreThanMapsTake) {
  const pid_t pid = Fork([] {
    const std::string binary = ExporterBinary();
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    return execl(binary.c_str(), binary.c_str(), "events", nullptr) == 0;
  });
  const std::string status = "/proc/" + std::to_string(pid) + "/status";
  EXPECT_TRUE(WaitUntil([&] { return ReadStatus(status)["Seccomp"] == "2"; }));
  ExpectLeft(pid, ForMaps(), Hex(0));
  kill(pid, SIGTERM);
  EXPECT_EQ(Wait(pid), 0);
}

}  // namespace
}  // namespace sched_exporter::test_support
