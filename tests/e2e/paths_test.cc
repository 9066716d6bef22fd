// An exporter that has the host's files elsewhere, as in a container: --path.procfs,
// --path.cgroupfs and --path.rootfs, in a mount namespace where the usual places are covered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::StartsWith;

constexpr uid_t kUid = 65'432;
constexpr char kUser[] = "user_of_the_host";

/// Runs the rest of the command line after `mounts`, which nobody else sees.
std::vector<std::string> WithMounts(const std::string& mounts) {
  return {"unshare", "-m", "sh", "-ec", mounts + "; exec \"$@\"", "sh"};
}

/// A process that sleeps in `cgroup` as kUid until the end of the test.
class Sleeper {
 public:
  explicit Sleeper(const CgroupDirectory& cgroup) {
    const Gate ready;
    pid_ = Fork([&] {
      SetComm("paths_sleeper");
      const bool is_there = cgroup.Add(0) && setresuid(kUid, kUid, kUid) == 0;
      const_cast<Gate&>(ready).Open(is_there ? 1 : 2);
      return pause() == 0;
    });
    ready.WaitFor();
    EXPECT_EQ(ready.step(), 1);
  }
  ~Sleeper() {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  std::string pid() const { return std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
};

class Paths : public testing::TestWithParam<CgroupHost> {
 protected:
  Paths() {
    for (const char* name : {"/proc", "/cgroup", "/etc"}) {
      std::filesystem::create_directory(host_.path() + name);
    }
    host_.Write("etc/passwd",
                std::string(kUser) + ":x:" + std::to_string(kUid) + ":1::/:/bin/sh\n");
  }

  void Start(const std::string& mounts, const std::vector<std::string>& flags,
             const std::string& config = "") {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + GetParam().hierarchy + "}\n" + config,
                                    flags, WithMounts(mounts)});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// A label of the sleeper's sched_process_info.
  std::string Label(const std::string& name) const {
    const auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    for (const Line& line : scrape ? scrape->lines() : std::vector<Line>()) {
      if (line.name == "sched_process_info" && line.labels.at("pid") == sleeper_.pid()) {
        const auto label = line.labels.find(name);
        return label == line.labels.end() ? "" : label->second;
      }
    }
    ADD_FAILURE() << "no sched_process_info of the sleeper";
    return "";
  }

  /// Mounts the hierarchy below the host's directory and hides it where it was.
  std::string MovedCgroups() const {
    return "mkdir -p " + moved_ + "; mount --bind " + GetParam().mount_point + " " + moved_ +
           "; mount -t tmpfs none " + GetParam().mount_point;
  }
  /// Mounts procfs there, and hides the sleeper in /proc.
  std::string MovedProcfs() const {
    return "mount --bind /proc " + host_.path() + "/proc; mount -t tmpfs none /proc/" +
           sleeper_.pid();
  }

  const TempDirectory host_;
  const std::string moved_ = host_.path() + "/cgroup/it";
  const CgroupDirectory cgroup_{GetParam(),
                                "/sched_exporter_test_paths_" + std::to_string(getpid()) + "/in"};
  const Sleeper sleeper_{cgroup_};
  std::unique_ptr<Exporter> exporter_;
};

TEST_P(Paths, ProgramsAreReadWhereProcfsIs) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  Start(MovedProcfs(), {"--path.procfs=" + host_.path() + "/proc/"});
  EXPECT_EQ(Label("exe"), self);
  Start(MovedProcfs(), {});
  EXPECT_EQ(Label("exe"), "") << "this test shows nothing: /proc isn't covered";
}

TEST_P(Paths, RulesReadCommandLinesWhereProcfsIs) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").filename();
  const std::string rule =
      "children: false\nprocess_names: [{name: found, exe: ['" + self + "']}]\n";
  Start(MovedProcfs(), {"--path.procfs=" + host_.path() + "/proc"}, rule);
  EXPECT_EQ(Label("group"), "found");
  Start(MovedProcfs(), {}, rule);
  EXPECT_EQ(Label("group"), "other");
}

TEST_P(Paths, CgroupsAreFoundWhereTheyAre) {
  Start(MovedCgroups(), {"--path.cgroupfs=" + host_.path() + "/cgroup"});
  EXPECT_EQ(Label("cgroup"), cgroup_.label()) << "it is older than the exporter";
  const CgroupDirectory later(GetParam(), cgroup_.label() + "/later");
  const pid_t pid = Fork([&] {
    Burn(std::chrono::milliseconds(5));
    return later.Add(0);
  });
  ASSERT_EQ(Wait(pid), 0);
  // It has no process, and so has series for its directory's sake alone.
  for (int i = 0; i < 3; ++i) {
    const auto scrape = exporter_->Scrape();
    ASSERT_TRUE(scrape) << scrape.error().message;
    EXPECT_EQ(scrape->Count("sched_cgroup_threads", {{"cgroup", later.label()}}), 1U);
  }
  Start(MovedCgroups(), {});
  EXPECT_EQ(Label("cgroup"), "(unknown)") << "this test shows nothing: the place isn't covered";
}

TEST_P(Paths, OnlyCgroupsThereCount) {
  const Ended ended =
      RunProgram({ExporterBinary(), "--allow-second-instance", "--web.listen-address=127.0.0.1:0",
                  "--path.cgroupfs=" + host_.path()});
  EXPECT_EQ(ended.output,
            "sched_exporter: cannot find the cgroup hierarchy that cgroup.hierarchy asks for in "
            "/proc/self/mountinfo below " +
                host_.path() +
                " (--path.cgroupfs); mount it, or choose another of auto, v2, cpu, cpuacct\n");
  EXPECT_EQ(ended.exit_code, 1);
}

TEST_P(Paths, UsersAreThoseOfTheRoot) {
  Start("true", {"--path.rootfs=" + host_.path()},
        "process_names: [{name: '{{.Username}}', user: ['^" + std::string(kUser) + "$']}]\n");
  EXPECT_EQ(Label("user"), kUser);
  EXPECT_EQ(Label("group"), kUser);
  Start("true", {"--path.rootfs=/"});
  EXPECT_EQ(Label("user"), std::to_string(kUid));
}

TEST_P(Paths, AllAtOnce) {
  Start(MovedProcfs() + "; " + MovedCgroups(),
        {"--path.procfs=" + host_.path() + "/proc", "--path.cgroupfs=" + host_.path() + "/cgroup",
         "--path.rootfs=" + host_.path()});
  EXPECT_EQ(Label("exe"), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(Label("cgroup"), cgroup_.label());
  EXPECT_EQ(Label("user"), kUser);
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Paths, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

/// A value of one of the flags, and what is expected instead.
struct WrongDirectory {
  std::string name;
  std::string value;
};

class RefusedPath : public testing::TestWithParam<WrongDirectory> {};

TEST_P(RefusedPath, IsNamedInOneLine) {
  for (const std::string flag : {"--path.procfs", "--path.cgroupfs", "--path.rootfs"}) {
    const Ended ended =
        RunProgram({ExporterBinary(), "--allow-second-instance", flag + "=" + GetParam().value});
    EXPECT_EQ(ended.output, "sched_exporter: " + flag +
                                ": expected an absolute path of a directory, got \"" +
                                GetParam().value + "\"; see --help\n");
    EXPECT_EQ(ended.exit_code, 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Paths, RefusedPath,
                         testing::Values(WrongDirectory{"Missing", "/nonexistent/proc"},
                                         WrongDirectory{"Relative", "proc"},
                                         WrongDirectory{"File", "/etc/passwd"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(RefusedProcfs, IsADirectoryOfAnotherKind) {
  const Ended ended =
      RunProgram({ExporterBinary(), "--allow-second-instance", "--path.procfs=/tmp"});
  EXPECT_EQ(ended.output,
            "sched_exporter: --path.procfs: no procfs is mounted at \"/tmp\"; see --help\n");
  EXPECT_EQ(ended.exit_code, 2);
}

}  // namespace
}  // namespace sched_exporter::test_support
