// `sched_exporter top` as it is used: printed once, and in a terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/argv.h"
#include "tests/support/exporter.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string UrlOf(const Exporter& exporter) {
  return "http://127.0.0.1:" + std::to_string(exporter.port());
}

Ended RunTop(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {ExporterBinary(), "top"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(argv);
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

class TopOfExporter : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Exporter::Start({"live: {history: 1m}\n", {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
    EXPECT_EQ(RunTop({UrlOf(*exporter_)}).exit_code, 0);  // it waits for the first step
  }
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(TopOfExporter, PrintsOnceWhereThereIsNoTerminal) {
  const pid_t burner = Fork([] {
    SetComm("top-burner");
    while (true) {
      Burn(std::chrono::milliseconds(10));
    }
    return true;
  });
  const auto shows_burner = [&](const std::vector<std::string>& arguments) {
    const Ended ended = RunTop(arguments);
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    return ended.output.find("  top-burner\n") != std::string::npos;
  };
  EXPECT_TRUE(WaitUntil([&] { return shows_burner({UrlOf(*exporter_)}); }));
  EXPECT_TRUE(shows_burner({"--view=process", "--count", "100", UrlOf(*exporter_) + "/"}));
  const Ended ended = RunTop({"--once", "--count=3", "--sort=name", UrlOf(*exporter_)});
  const std::vector<std::string> lines = LinesOf(ended.output);
  ASSERT_EQ(lines.size(), 5U) << ended.output;
  EXPECT_THAT(lines[0], HasSubstr(" CPUs used, "));
  EXPECT_THAT(lines[1], EndsWith("  GROUP"));
  kill(burner, SIGKILL);
  Wait(burner);
}

TEST_F(TopOfExporter, FindsTheExporterThatTheFlagsName) {
  const Ended ended = RunProgram(
      {ExporterBinary(), "--web.listen-address=:" + std::to_string(exporter_->port()), "top"});
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("CPUS"));
}

TEST_F(TopOfExporter, MistakesAreOneLine) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{"http://127.0.0.1:1"}, "Connection refused"},
      {{UrlOf(*exporter_) + "/nothing"}, "status 404"},
      {{UrlOf(*exporter_) + "/?view=x"}, "without ? and #"},
      {{"--sort=starts", "--view=process"}, "starts are counted for groups and cgroups only"},
      {{"--view=pod"}, "see --help"},
      {{"--count=0"}, "see --help"},
      {{"--count=101"}, "see --help"}};
  for (const auto& [arguments, expected] : mistakes) {
    const Ended ended = RunTop(arguments);
    EXPECT_NE(ended.exit_code, 0);
    EXPECT_THAT(ended.output, AllOf(StartsWith("sched_exporter: "), HasSubstr(expected)));
    EXPECT_EQ(LinesOf(ended.output).size(), 1U) << ended.output;
  }
}

/// `top` in a terminal of its own.
class Terminal {
 public:
  Terminal(const std::vector<std::string>& arguments, unsigned short columns, unsigned short rows) {
    winsize size{rows, columns, 0, 0};
    std::vector<std::string> words = {ExporterBinary(), "top"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    pid_ = forkpty(&fd_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      setenv("LC_ALL", "C.UTF-8", 1);
      const std::vector<char*> argv = Argv(words);
      execv(argv[0], argv.data());
      _exit(127);
    }
  }
  ~Terminal() {
    kill(pid_, SIGKILL);
    Wait(pid_);
    close(fd_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  pid_t pid() const { return pid_; }

  /// All that was written so far.
  const std::string& Read() {
    std::array<char, 65'536> part{};
    pollfd ready{fd_, POLLIN, 0};
    while (poll(&ready, 1, 0) > 0) {
      const ssize_t count = read(fd_, part.data(), part.size());
      if (count <= 0) {
        break;
      }
      output_.append(part.data(), static_cast<std::size_t>(count));
    }
    return output_;
  }

  /// Screens that are complete: between the way home and the end of the next clearing.
  std::vector<std::string> Screens() {
    std::vector<std::string> screens;
    const std::string& text = Read();
    std::size_t at = 0;
    while ((at = text.find("\x1b[H", at)) != std::string::npos) {
      const std::size_t end = text.find("\x1b[J", at);
      if (end == std::string::npos) {
        break;
      }
      screens.push_back(text.substr(at + 3, end - at - 3));
      at = end;
    }
    return screens;
  }

  bool HasScreens(std::size_t count) {
    return WaitUntil([&] { return Screens().size() >= count; });
  }

  void Type(const std::string& keys) const {
    EXPECT_EQ(write(fd_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void Resize(unsigned short columns, unsigned short rows) const {
    winsize size{rows, columns, 0, 0};
    EXPECT_EQ(ioctl(fd_, TIOCSWINSZ, &size), 0);
  }

  /// Its wait status once it has ended.
  int Status() {
    int status = -1;
    EXPECT_TRUE(WaitUntil([&] {
      Read();
      return waitpid(pid_, &status, WNOHANG) == pid_;
    }));
    Read();
    return status;
  }

 private:
  pid_t pid_ = -1;
  int fd_ = -1;
  std::string output_;
};

/// Columns of a line of ASCII and sparks.
std::size_t Columns(const std::string& line) {
  std::size_t columns = 0;
  for (const char byte : line) {
    columns += (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return columns;
}

/// The lines of a screen without what clears them.
std::vector<std::string> Shown(const std::string& screen) {
  std::string text = std::regex_replace(screen, std::regex("\x1b\\[K|\r"), "");
  return LinesOf(text);
}

TEST_F(TopOfExporter, DrawsEachStepAndFitsTheTerminal) {
  Terminal terminal({UrlOf(*exporter_)}, 60, 8);
  ASSERT_TRUE(terminal.HasScreens(4));
  const std::vector<std::string> screens = terminal.Screens();
  EXPECT_NE(Shown(screens[1])[0], Shown(screens[3])[0]) << "the clock goes on";
  const auto fits = [](const std::string& screen, std::size_t columns, std::size_t rows) {
    const std::vector<std::string> lines = Shown(screen);
    EXPECT_LE(lines.size(), rows);
    for (const std::string& line : lines) {
      EXPECT_LE(Columns(line), columns) << line;
    }
  };
  fits(screens[3], 60, 8);
  terminal.Resize(120, 12);
  ASSERT_TRUE(WaitUntil([&] { return Shown(terminal.Screens().back()).size() > 8; }));
  fits(terminal.Screens().back(), 120, 12);
  EXPECT_THAT(terminal.Screens().back(), HasSubstr("CPU LATELY"));
}

TEST_F(TopOfExporter, ControlCAndQEndItCleanly) {
  for (const std::string key : {"\x03", "q"}) {
    Terminal terminal({UrlOf(*exporter_)}, 80, 24);
    ASSERT_TRUE(terminal.HasScreens(1));
    terminal.Type(key);
    const int status = terminal.Status();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    const std::string& output = terminal.Read();
    EXPECT_THAT(output, StartsWith("\x1b[?1049h\x1b[?25l"));
    EXPECT_THAT(output, EndsWith("\x1b[?25h\x1b[?1049l"));
  }
}

TEST_F(TopOfExporter, TellsThatTheExporterIsGoneAndGoesOn) {
  Terminal terminal({UrlOf(*exporter_)}, 200, 24);
  ASSERT_TRUE(terminal.HasScreens(1));
  exporter_->End(SIGTERM);
  EXPECT_TRUE(WaitUntil([&] {
    return Shown(terminal.Screens().back())[0].find("Connection refused") != std::string::npos;
  }));
  EXPECT_GT(Shown(terminal.Screens().back()).size(), 2U) << "the last figures stay";
  terminal.Type("q");
  EXPECT_EQ(terminal.Status(), 0);
}

TEST_F(TopOfExporter, NamesCannotControlTheTerminal) {
  const HostileProcesses processes;
  Terminal terminal({"--view=process", "--sort=name", "--count=100", UrlOf(*exporter_)}, 200, 200);
  ASSERT_TRUE(WaitUntil([&] {
    return !terminal.Screens().empty() &&
           terminal.Screens().back().find("\\x01") != std::string::npos;
  }));
  for (const std::string& screen : terminal.Screens()) {
    for (const std::string& line : Shown(screen)) {
      EXPECT_THAT(line, Not(testing::ContainsRegex("[\x01-\x1f\x7f]")));
    }
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
