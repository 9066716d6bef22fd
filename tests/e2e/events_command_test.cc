// `sched_exporter events`: what happens as a table, without a running exporter.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "tests/support/argv.h"
#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// The subcommand in a process of its own.
class EventsCommand : public testing::Test {
 protected:
  ~EventsCommand() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  /// Starts it, and waits until its programs are attached.
  void Start(const std::vector<std::string>& flags) {
    Spawn(flags);
    ASSERT_TRUE(WaitUntil([&] { return Output().starts_with("TIME "); }));
  }

  void Spawn(const std::vector<std::string>& flags) {
    std::vector<std::string> words = {ExporterBinary(), "--config.file=" + config_, "events"};
    words.insert(words.end(), flags.begin(), flags.end());
    std::ofstream(config_) << "cgroup: {hierarchy: " << host_.hierarchy << "}\n";
    pid_ = fork();
    if (pid_ == 0) {
      dup2(open(output_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
      const std::vector<char*> arguments = Argv(words);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
  }

  /// Runs a shell in the cgroup; it ends after everything else.
  void RunShell(const std::string& script) {
    shell_ = Fork([&] {
      return cgroup_.Add(getpid()) && execl("/bin/sh", "sh", "-c", script.c_str(), nullptr) == 0;
    });
    Wait(shell_);
  }

  std::string Output() const {
    std::ifstream file(output_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  /// Waits for a line that holds `text`.
  bool Shows(const std::string& text) const {
    return WaitUntil([&] { return Output().find(text) != std::string::npos; });
  }

  int End(int signal) {
    kill(pid_, signal);
    const int code = Wait(pid_);
    pid_ = -1;
    return code;
  }

  const CgroupHost host_ = TestableHierarchies().at(0);
  const TestCgroup cgroup_{host_, "events"};
  const TempDirectory directory_;
  const std::string output_ = directory_.path() + "/output";
  const std::string config_ = directory_.path() + "/config.yml";
  pid_t pid_ = -1;
  pid_t shell_ = -1;
};

TEST_F(EventsCommand, ShowsWhatIsStartedWhatFailsAndHowItEnds) {
  Start({"--cgroup=" + cgroup_.label()});
  RunShell("/bin/true; /nonexistent/program; sh -c 'kill -9 $$'; exit 7");
  ASSERT_TRUE(Shows(" 7 "));
  EXPECT_EQ(End(SIGINT), 0);
  const std::string pid = std::to_string(shell_);
  EXPECT_THAT(Output(), ContainsRegex("exec +[0-9]+ +" + pid + " .* true +ok .*/bin/true"));
  EXPECT_THAT(Output(), ContainsRegex("exit +[0-9]+ +" + pid + " .* true +0 "));
  EXPECT_THAT(Output(), ContainsRegex("exec_failed +[0-9]+ .*ENOENT .*/nonexistent/program"));
  EXPECT_THAT(Output(), ContainsRegex("exit .* SIGKILL "));
  EXPECT_THAT(Output(), ContainsRegex("exit +" + pid + " .* sh +7 "));
  EXPECT_THAT(Output(), Not(HasSubstr("kill -9"))) << "arguments are not asked for";
}

TEST_F(EventsCommand, ShowsOnlyFailuresWhereThatIsAskedFor) {
  Start({"--failed", "--cgroup=" + cgroup_.label()});
  RunShell("/bin/true; /bin/false; exit 3");
  ASSERT_TRUE(Shows(" 3 "));
  EXPECT_EQ(End(SIGTERM), 0);
  EXPECT_THAT(Output(), ContainsRegex("exit .* false +1 "));
  EXPECT_THAT(Output(), Not(HasSubstr("true")));
  EXPECT_THAT(Output(), Not(HasSubstr("exec ")));
}

TEST_F(EventsCommand, ShowsOneGroupWithItsArguments) {
  Start({"--group=true", "--arguments", "--cgroup=" + cgroup_.label()});
  RunShell("/bin/false; /bin/true some 'argument or other'");
  ASSERT_TRUE(Shows("exit "));
  EXPECT_EQ(End(SIGINT), 0);
  EXPECT_THAT(Output(), HasSubstr("/bin/true some 'argument or other'"));
  EXPECT_THAT(Output(), Not(HasSubstr("false")));
}

TEST_F(EventsCommand, KnowsTheFileOfWhatRanBefore) {
  const pid_t sleeper = Fork(
      [&] { return cgroup_.Add(getpid()) && execl("/bin/sleep", "sleep", "1000", nullptr) == 0; });
  ASSERT_TRUE(WaitUntil([&] {
    return std::filesystem::read_symlink("/proc/" + std::to_string(sleeper) + "/exe").filename() ==
           "sleep";
  }));
  Start({"--cgroup=" + cgroup_.label()});
  kill(sleeper, SIGTERM);
  Wait(sleeper);
  ASSERT_TRUE(Shows("SIGTERM"));
  EXPECT_EQ(End(SIGINT), 0);
  EXPECT_THAT(Output(), ContainsRegex("exit .* sleep +SIGTERM .*/sleep"));
}

TEST_F(EventsCommand, SaysWhatItNeedsWhereItMayNotLoad) {
  const Ended ended = RunProgram({"setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all",
                                  "--bounding-set=-all", ExporterBinary(), "events"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("needs CAP_BPF and CAP_PERFMON (or root)"));
}

TEST_F(EventsCommand, SaysThatItCannotWrite) {
  const Ended ended = RunProgram({"bash", "-c", "'" + ExporterBinary() + "' events > /dev/full"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("No space left on device"));
}

TEST_F(EventsCommand, EndsOnASignalWhileItsReaderStandsStill) {
  ASSERT_EQ(mkfifo(output_.c_str(), 0600), 0);
  const UniqueFd reader(open(output_.c_str(), O_RDONLY | O_NONBLOCK));
  Spawn({});
  Gate stop;
  const pid_t load = Fork([&] {
    while (stop.step() == 0) {
      SpawnMany("/bin/true", 100, 4);
    }
    return true;
  });
  // It can't write any more when it sleeps although there is always something to write.
  ASSERT_TRUE(WaitUntil([&] {
    int bytes = 0;
    return ioctl(reader.get(), FIONREAD, &bytes) == 0 && bytes > 60'000;
  }));
  EXPECT_EQ(End(SIGTERM), 0);
  stop.Open();
  EXPECT_EQ(Wait(load), 0);
}

TEST_F(EventsCommand, RefusesACgroupThatCanNeverBeOne) {
  for (const char* path : {"system.slice", "/system.slice/"}) {
    const Ended ended = RunProgram({ExporterBinary(), "events", "--cgroup", path});
    EXPECT_EQ(ended.exit_code, 2);
    EXPECT_THAT(ended.output, HasSubstr("expected a path like /system.slice"));
  }
}

TEST_F(EventsCommand, EndsWithItsReader) {
  const Ended ended =
      RunProgram({"bash", "-c",
                  "set -o pipefail; (while :; do /bin/true; done) & trap 'kill $!' EXIT; '" +
                      ExporterBinary() + "' events | head -n 3"});
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("TIME "));
}

}  // namespace
}  // namespace sched_exporter::test_support
