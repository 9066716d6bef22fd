#include "tests/support/starter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string_view>

#include "tests/support/exporter.h"
#include "tests/support/starter_files.h"

namespace sched_exporter::test_support {
namespace {

constexpr std::chrono::seconds kPatience{250};
constexpr int kCommandNotFound = 127;

std::string StarterProgram() { return std::string(BINARY_DIR) + "/tests/test_starter"; }

std::string NewComm() {
  static int count = 0;
  return "st" + std::to_string(getpid() % 100'000) + "x" + std::to_string(++count);
}

template <typename Map>
std::uint64_t SumOf(const Map& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& item) { return sum + item.second; });
}

std::string CodeOf(int status) {
  return WIFEXITED(status) ? std::to_string(WEXITSTATUS(status))
                           : std::string("SIG") + sigabbrev_np(WTERMSIG(status));
}

/// Why `record` is not what was to happen; empty where it is.
std::string FaultOf(const ChildRecord& record) {
  const bool should_exec = record.how != How::kForkOnly && record.fate != Fate::kFails;
  if (record.pid <= 0) {
    return "was not started";
  }
  if (record.report.pid != (should_exec ? record.pid : 0)) {
    return should_exec ? "did not run its program" : "ran a program";
  }
  if (record.exec_error != (record.fate == Fate::kFails ? record.value : 0)) {
    return "got errno " + std::to_string(record.exec_error) + " from exec";
  }
  if (record.threads != (record.how == How::kThread ? 1 : 0)) {
    return "started " + std::to_string(record.threads) + " threads";
  }
  const int code = record.fate == Fate::kFails ? kCommandNotFound : record.value;
  const bool as_planned = record.fate == Fate::kIsKilled
                              ? WIFSIGNALED(record.status) && WTERMSIG(record.status) == code
                              : WIFEXITED(record.status) && WEXITSTATUS(record.status) == code;
  return as_planned ? "" : "ended with " + CodeOf(record.status);
}

StartedChild ChildOf(const ChildRecord& record, const std::string& starter_comm) {
  StartedChild child;
  child.pid = record.pid;
  child.how = record.how;
  child.executed = record.report.pid != 0;
  child.comm = child.executed ? record.report.comm.data() : starter_comm;
  child.exec_error = record.exec_error == 0 ? "" : strerrorname_np(record.exec_error);
  child.code = CodeOf(record.status);
  return child;
}

void Count(const ChildRecord& record, const StartedChild& child, StarterCounts& counts) {
  ++counts.forks;
  counts.thread_starts += static_cast<std::uint64_t>(record.threads);
  if (child.executed) {
    ++counts.execs[child.comm];
  }
  if (!child.exec_error.empty()) {
    ++counts.exec_failures[child.exec_error];
  }
  ++counts.exits[{child.comm, child.code}];
}

Result<void> Copy(std::string_view text, char* to, std::size_t room, const char* what) {
  if (text.size() + 1 >= room) {
    return Fail(std::string(what) + " of the starter are too long");
  }
  std::memcpy(to, text.data(), text.size());
  return {};
}

void WriteFile(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), mode);
}

Result<StarterReport> ReadReport(const std::string& directory) {
  std::ifstream file(RecordsFile(directory), std::ios::binary);
  StarterHeader header;
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  StarterReport report;
  report.starter = header.pid;
  const std::string comm = header.comm.data();
  for (int i = 0; i < header.children; ++i) {
    ChildRecord record;
    if (!file.read(reinterpret_cast<char*>(&record), sizeof(record))) {
      return Fail("the starter's records are cut");
    }
    const std::string fault = FaultOf(record);
    if (!fault.empty()) {
      return Fail("child " + std::to_string(i) + " (how " +
                  std::to_string(static_cast<int>(record.how)) + ") " + fault);
    }
    report.children.push_back(ChildOf(record, comm));
    Count(record, report.children.back(), report.counts);
  }
  ++report.counts.exits[{comm, "0"}];
  return report;
}

}  // namespace

std::uint64_t StarterCounts::Execs() const { return SumOf(execs); }
std::uint64_t StarterCounts::ExecFailures() const { return SumOf(exec_failures); }
std::uint64_t StarterCounts::Exits() const { return SumOf(exits); }

std::string ChildProgram() { return std::string(BINARY_DIR) + "/tests/test_child"; }

std::vector<ChildRecord> MixedPlan(int children, int names) {
  constexpr std::array kCodes{1, 2, 3, 37, 126, 127, 255};
  constexpr std::array kSignals{SIGKILL, SIGSEGV, SIGTERM, SIGABRT, SIGINT, SIGHUP, SIGPIPE};
  constexpr std::array kErrors{ENOENT, EACCES, ENOEXEC};
  std::vector<ChildRecord> plan;
  for (int i = 0; i < children; ++i) {
    ChildRecord record;
    record.how = static_cast<How>(i % kHows);
    record.file = i / kHows % names;
    // Every kind of child gets every value.
    const auto turn = static_cast<std::size_t>(i / (10 * kHows));
    if (i % 10 == 1) {
      record.value = kCodes[turn % kCodes.size()];
    } else if (i % 10 == 4) {
      record.fate = Fate::kIsKilled;
      record.value = kSignals[turn % kSignals.size()];
    } else if (i % 10 == 7) {
      record.fate = Fate::kFails;
      record.value = kErrors[turn % kErrors.size()];
      // posix_spawn reaps a child that fails and keeps its pid to itself.
      record.how = record.how == How::kSpawn      ? How::kVfork
                   : record.how == How::kForkOnly ? How::kFork
                                                  : record.how;
    }
    plan.push_back(record);
  }
  return plan;
}

Starter::Starter(Options options) : options_(std::move(options)), comm_(NewComm()) {
  if (options_.plan.empty()) {
    options_.plan = MixedPlan(options_.children, options_.names);
  }
}

Result<void> Starter::Prepare() {
  if (is_prepared_) {
    return {};
  }
  const std::string& directory = directory_.path();
  std::error_code error;
  const std::string program = ProgramFile(directory, comm_);
  std::filesystem::copy_file(ChildProgram(), program,
                             std::filesystem::copy_options::overwrite_existing, error);
  if (error) {
    return Fail("cannot copy " + ChildProgram() + ": " + error.message());
  }
  for (int i = 0; i < options_.names; ++i) {
    std::filesystem::create_symlink(program, LinkFile(directory, comm_, i), error);
  }
  WriteFile(ScriptFile(directory, comm_), "#!" + program + " script\n", 0755);
  WriteFile(RefusedFile(directory, EACCES, false), "#!" + program + " script\n", 0644);
  WriteFile(RefusedFile(directory, ENOEXEC, false), "no magic\n", 0755);
  WriteFile(RefusedFile(directory, ENOENT, true), "#!" + directory + "/missing\n", 0755);

  StarterHeader header;
  header.children = static_cast<std::int32_t>(options_.plan.size());
  header.parallel = options_.parallel;
  std::string arguments;
  for (const std::string& argument : options_.arguments) {
    arguments += argument + '\0';
  }
  auto copied = Copy(arguments, header.arguments.data(), header.arguments.size(), "arguments");
  if (copied) {
    copied = Copy(comm_, header.comm.data(), header.comm.size(), "names");
  }
  std::ofstream file(RecordsFile(directory), std::ios::binary);
  file.write(reinterpret_cast<const char*>(&header), sizeof(header));
  file.write(reinterpret_cast<const char*>(options_.plan.data()),
             static_cast<std::streamsize>(options_.plan.size() * sizeof(ChildRecord)));
  is_prepared_ = copied.has_value();
  return copied;
}

Result<StarterReport> Starter::Run() {
  const auto prepared = Prepare();
  if (!prepared) {
    return tl::unexpected(prepared.error());
  }
  for (const auto& [name, value] : options_.environment) {
    setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<std::string> argv = {StarterProgram(), directory_.path()};
  argv.insert(argv.end(), options_.cgroups.begin(), options_.cgroups.end());
  const Ended ended = RunProgram(argv, kPatience);
  for (const auto& [name, value] : options_.environment) {
    unsetenv(name.c_str());
  }
  if (ended.exit_code != 0) {
    return Fail("the starter ended with " + std::to_string(ended.exit_code) + ": " + ended.output);
  }
  return ReadReport(directory_.path());
}

}  // namespace sched_exporter::test_support
