#include "exporter/app/self_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace sched_exporter {
namespace {

/// proc_pid_stat(5): the fields after the name's closing parenthesis begin with the third.
constexpr int kFirstFieldAfterName = 3;
constexpr int kStartTimeField = 22;
constexpr int kVsizeField = 23;
constexpr int kRssField = 24;

void ReadStat(SelfStats& stats) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) {
    return;
  }
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = kFirstFieldAfterName; i <= kRssField && fields >> field; ++i) {
    const auto number = [&] { return std::strtoull(field.c_str(), nullptr, 10); };
    if (i == kStartTimeField) {
      stats.start_boottime_ns =
          number() * (1'000'000'000ULL / static_cast<unsigned long long>(sysconf(_SC_CLK_TCK)));
    } else if (i == kVsizeField) {
      stats.virtual_bytes = number();
    } else if (i == kRssField) {
      stats.resident_bytes = number() * static_cast<unsigned long long>(sysconf(_SC_PAGESIZE));
    }
  }
}

}  // namespace

SelfStats ReadSelfStats() {
  SelfStats stats;
  ReadStat(stats);
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  stats.cpu_ns = static_cast<std::uint64_t>(cpu.tv_sec) * 1'000'000'000U +
                 static_cast<std::uint64_t>(cpu.tv_nsec);
  std::error_code error;
  const std::filesystem::directory_iterator fds("/proc/self/fd", error);
  // One of them is the iterator's own.
  stats.open_fds = error ? 0 : static_cast<std::uint64_t>(std::distance(begin(fds), end(fds))) - 1;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    stats.max_fds = limit.rlim_cur;
  }
  return stats;
}

}  // namespace sched_exporter
