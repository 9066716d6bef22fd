#include "tests/support/snoop.h"

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/support/argv.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

/// $0 is the file of the output.
constexpr char kScript[] =
    "mount -t tracefs none /sys/kernel/tracing && exec stdbuf -oL \"$@\" >\"$0\" 2>\"$0.error\"";

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  std::string line;
  while (std::getline(stream, line)) {
    lines.push_back(line);
  }
  return lines;
}

}  // namespace

Result<std::unique_ptr<Snoop>> Snoop::Start(const std::vector<std::string>& command) {
  std::unique_ptr<Snoop> snoop(new Snoop());
  std::vector<std::string> words = {"unshare", "--mount", "sh",
                                    "-c",      kScript,   snoop->directory_.path() + "/output"};
  words.insert(words.end(), command.begin(), command.end());
  const std::vector<char*> argv = Argv(words);
  snoop->pid_ = Fork([&] { return execvp(argv[0], argv.data()) == 0; });
  if (!WaitUntil([&] { return snoop->Output().find('\n') != std::string::npos; },
                 std::chrono::seconds(20))) {
    std::ostringstream error;
    error << std::ifstream(snoop->directory_.path() + "/output.error").rdbuf();
    return Fail(command[0] + " does not start: " + error.str());
  }
  return snoop;
}

Snoop::~Snoop() { End(); }

std::string Snoop::Output() const {
  std::ostringstream text;
  text << std::ifstream(directory_.path() + "/output").rdbuf();
  return text.str();
}

std::vector<std::string> Snoop::End() {
  if (pid_ > 0) {
    kill(pid_, SIGINT);
    Wait(pid_);
    pid_ = -1;
  }
  std::vector<std::string> lines = LinesOf(Output());
  if (!lines.empty()) {
    lines.erase(lines.begin());
  }
  return lines;
}

}  // namespace sched_exporter::test_support
