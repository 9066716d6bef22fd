#include "exporter/identity/process_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "exporter/base/clock.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

constexpr std::uint32_t kKernelThread = 0x00200000;  // PF_KTHREAD in include/linux/sched.h

/// Larger than any of these files: a path of a cgroup has 4096 bytes at most.
constexpr std::size_t kMostBytes = 262'144;

Result<std::string> ReadFile(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    return Fail(WithErrno("cannot open " + path, errno));
  }
  std::string text;
  std::array<char, 4096> part{};
  while (text.size() < kMostBytes) {
    const ssize_t bytes = ::read(file.get(), part.data(), part.size());
    if (bytes < 0) {
      return Fail(WithErrno("cannot read " + path, errno));
    }
    if (bytes == 0) {
      break;
    }
    text.append(part.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

/// Takes the next word off `text`.
std::string_view TakeWord(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

template <typename Number>
bool ReadNumber(std::string_view word, Number& number) {
  const char* const end = word.data() + word.size();
  return !word.empty() && std::from_chars(word.data(), end, number).ptr == end;
}

bool IsControllerOf(std::string_view controllers, std::string_view wanted) {
  while (true) {
    const std::size_t comma = controllers.find(',');
    if (controllers.substr(0, comma) == wanted) {
      return true;
    }
    if (comma == std::string_view::npos) {
      return false;
    }
    controllers.remove_prefix(comma + 1);
  }
}

/// "0::/path" is v2's line; v1's have the controllers between the colons.
bool IsLineOf(Hierarchy hierarchy, std::string_view number, std::string_view controllers) {
  switch (hierarchy) {
    case Hierarchy::kCpu:
      return IsControllerOf(controllers, "cpu");
    case Hierarchy::kCpuacct:
      return IsControllerOf(controllers, "cpuacct");
    case Hierarchy::kV2:
      break;
  }
  return number == "0" && controllers.empty();
}

std::string DirectoryOf(std::uint32_t pid, const std::string& procfs) {
  return procfs + "/" + std::to_string(pid);
}

std::string NoSuchProcess(std::uint32_t pid, const std::string& procfs) {
  return "no process " + std::to_string(pid) + " in " + procfs +
         (::geteuid() == 0 ? "" : ", or this user may not see it (hidepid)");
}

}  // namespace

std::optional<StatFields> ParseStat(std::string_view text) {
  // Numbers alone stand behind the comm, so that its own parentheses come before the last one.
  const std::size_t comm_end = text.rfind(')');
  if (comm_end == std::string_view::npos) {
    return std::nullopt;
  }
  text.remove_prefix(comm_end + 1);
  constexpr std::size_t kFirst = 3;  // proc(5) counts from 1, and the comm is 2
  constexpr std::size_t kLast = 22;
  std::array<std::string_view, kLast + 1> fields;
  for (std::size_t i = kFirst; i <= kLast; ++i) {
    fields.at(i) = TakeWord(text);
  }
  StatFields stat;
  if (fields[3].size() != 1 || !ReadNumber(fields[4], stat.ppid) ||
      !ReadNumber(fields[9], stat.flags) || !ReadNumber(fields[20], stat.threads) ||
      !ReadNumber(fields[22], stat.start_ticks)) {
    return std::nullopt;
  }
  stat.state = fields[3][0];
  return stat;
}

std::optional<StatusFields> ParseStatus(std::string_view text) {
  StatusFields status;
  bool has_tgid = false;
  bool has_uid = false;
  // The kernel escapes newlines in the comm there (proc_task_name() in fs/proc/array.c).
  while (!text.empty() && !(has_tgid && has_uid)) {
    std::string_view line = TakeLine(text);
    const std::string_view key = TakeWord(line);
    if (key == "Tgid:") {
      has_tgid = ReadNumber(TakeWord(line), status.tgid);
    } else if (key == "Uid:") {
      TakeWord(line);  // the real one
      has_uid = ReadNumber(TakeWord(line), status.uid);
    }
  }
  return has_tgid && has_uid ? std::optional(status) : std::nullopt;
}

std::optional<std::string> ParseCgroupPath(std::string_view text, Hierarchy hierarchy) {
  // No cgroup has a newline in its name (cgroup_mkdir() in kernel/cgroup/cgroup.c).
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(":/", first + 1);
    if (first != std::string_view::npos && second != std::string_view::npos &&
        IsLineOf(hierarchy, line.substr(0, first), line.substr(first + 1, second - first - 1))) {
      return std::string(line.substr(second + 1));
    }
  }
  return std::nullopt;
}

Comm CommOfFile(std::string_view text, bool kernel_thread) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  constexpr std::string_view kWorker = "kworker/";
  // Rescuers (kworker/R-NAME) have a dash of their own.
  if (kernel_thread && text.starts_with(kWorker) && !text.starts_with("kworker/R-")) {
    text = text.substr(0, text.find_first_of("-+", kWorker.size()));
  }
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size() - 1), comm.begin());
  return comm;
}

Result<ProcessStat> ReadProcessStat(std::uint32_t pid, const std::string& procfs) {
  const std::string directory = DirectoryOf(pid, procfs);
  if (::access(directory.c_str(), F_OK) != 0) {
    return Fail(NoSuchProcess(pid, procfs));
  }
  std::array<std::string, 3> texts;
  constexpr std::array<const char*, 3> kFiles = {"/stat", "/status", "/comm"};
  for (std::size_t i = 0; i < kFiles.size(); ++i) {
    auto text = ReadFile(directory + kFiles.at(i));
    if (!text) {
      return Fail(::access(directory.c_str(), F_OK) == 0 ? text.error().message
                                                         : NoSuchProcess(pid, procfs));
    }
    texts.at(i) = std::move(*text);
  }
  const auto stat = ParseStat(texts[0]);
  const auto status = ParseStatus(texts[1]);
  if (!stat || !status) {
    return Fail("cannot understand " + directory + (stat ? kFiles[1] : kFiles[0]) +
                "; is it a procfs of Linux (--path.procfs)?");
  }
  if (status->tgid != pid) {
    return Fail(std::to_string(pid) + " is a thread of process " + std::to_string(status->tgid) +
                "; ask for that");
  }
  static const auto kTicks = static_cast<std::uint64_t>(std::max(::sysconf(_SC_CLK_TCK), 1L));
  ProcessStat process;
  TaskIdentity& identity = process.identity;
  identity.pid = identity.tgid = pid;
  identity.ppid = stat->ppid;
  identity.uid = status->uid;
  identity.kernel_thread = (stat->flags & kKernelThread) != 0;
  identity.comm = CommOfFile(texts[2], identity.kernel_thread);
  identity.start_ns = identity.leader_start_ns = stat->start_ticks * (kNsPerSecond / kTicks);
  process.has_ended = stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
  return process;
}

Result<std::string> ReadCgroupPath(std::uint32_t pid, const std::string& procfs,
                                   Hierarchy hierarchy) {
  const std::string file = DirectoryOf(pid, procfs) + "/cgroup";
  const auto text = ReadFile(file);
  if (!text) {
    return tl::unexpected(text.error());
  }
  auto path = ParseCgroupPath(*text, hierarchy);
  if (!path) {
    return Fail(file + " has no line of the hierarchy that names cgroups");
  }
  return std::move(*path);
}

}  // namespace sched_exporter
