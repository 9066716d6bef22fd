#include "tests/support/exporter.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/http_client.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPoll{10};
constexpr std::chrono::seconds kStartTimeout{60};

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

pid_t Spawn(const std::vector<std::string>& argv, const std::string& log_path) {
  const pid_t pid = ForkOrAbort();
  if (pid != 0) {
    return pid;
  }
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  dup2(log, 1);
  dup2(log, 2);
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

/// Waits for the end until `deadline`; then kills.
int WaitFor(pid_t pid, Clock::time_point deadline) {
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (Clock::now() > deadline) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      break;
    }
    std::this_thread::sleep_for(kPoll);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string MakeDirectory() {
  std::string path = "/tmp/sched_exporter_test.XXXXXX";
  return mkdtemp(path.data()) == nullptr ? std::string() : path;
}

/// The port in the line that says "serves /metrics on port N"; 0 if it isn't there yet.
int FindPort(const std::string& log) {
  const std::string mark = " on port ";
  const std::size_t found = log.find(mark);
  return found == std::string::npos || log.find('\n', found) == std::string::npos
             ? 0
             : std::atoi(log.c_str() + found + mark.size());
}

}  // namespace

std::string ExporterBinary() {
  const char* const chosen = std::getenv("SCHED_EXPORTER_BINARY");
  return chosen != nullptr ? chosen : std::string(BINARY_DIR) + "/sched_exporter";
}

bool IsSanitized() {
  static const bool kIs = [] {
    const std::string program = ReadAll(ExporterBinary());
    return program.find("libasan.so") != std::string::npos ||
           program.find("libtsan.so") != std::string::npos;
  }();
  return kIs;
}

Ended RunProgram(const std::vector<std::string>& argv, std::chrono::seconds timeout) {
  const std::string directory = MakeDirectory();
  const std::string log = directory + "/log";
  const pid_t pid = Spawn(argv, log);
  Ended ended;
  ended.exit_code = WaitFor(pid, Clock::now() + timeout);
  ended.output = ReadAll(log);
  std::filesystem::remove_all(directory);
  return ended;
}

Result<std::unique_ptr<Exporter>> Exporter::Start(const Settings& settings) {
  std::unique_ptr<Exporter> exporter(new Exporter());
  exporter->directory_ = MakeDirectory();
  exporter->log_path_ = exporter->directory_ + "/log";
  std::vector<std::string> argv = settings.prefix;
  argv.push_back(settings.binary.empty() ? ExporterBinary() : settings.binary);
  argv.push_back("--web.listen-address=" + settings.address);
  if (settings.allow_second_instance) {
    argv.emplace_back("--allow-second-instance");
  }
  if (!settings.config.empty()) {
    exporter->config_path_ = exporter->directory_ + "/config.yml";
    std::ofstream(exporter->config_path_) << settings.config;
    argv.push_back("--config.file=" + exporter->config_path_);
  }
  argv.insert(argv.end(), settings.arguments.begin(), settings.arguments.end());
  exporter->pid_ = Spawn(argv, exporter->log_path_);
  const Clock::time_point deadline = Clock::now() + kStartTimeout;
  while (Clock::now() < deadline) {
    exporter->port_ = FindPort(exporter->Log());
    if (exporter->port_ != 0) {
      return exporter;
    }
    int status = 0;
    if (waitpid(exporter->pid_, &status, WNOHANG) != 0) {
      exporter->pid_ = -1;
      return Fail("the exporter ended: " + exporter->Log());
    }
    std::this_thread::sleep_for(kPoll);
  }
  return Fail("the exporter doesn't serve: " + exporter->Log());
}

Exporter::~Exporter() {
  End(SIGTERM);
  if (!directory_.empty()) {
    std::filesystem::remove_all(directory_);
  }
}

Ended Exporter::End(int signal) {
  Ended ended;
  if (pid_ > 0) {
    kill(pid_, signal);
    ended.exit_code = WaitFor(pid_, Clock::now() + std::chrono::seconds(10));
    pid_ = -1;
  }
  ended.output = Log();
  return ended;
}

std::string Exporter::Log() const { return ReadAll(log_path_); }

Result<std::string> Exporter::ScrapeText() const {
  auto reply = HttpGet(port_, "/metrics");
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  if (reply->status != 200) {
    return Fail("status " + std::to_string(reply->status) + ": " + reply->body);
  }
  return reply->body;
}

Result<MetricsText> Exporter::Scrape() const {
  auto text = ScrapeText();
  return text ? MetricsText::Parse(*text) : tl::unexpected(text.error());
}

}  // namespace sched_exporter::test_support
