#include "exporter/identity/living_in_proc.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <string_view>

#include "exporter/identity/process_stat.h"

namespace sched_exporter {
namespace {

/// Names of directories that are numbers; none where `path` can't be read.
std::vector<std::uint32_t> NumbersIn(const std::string& path) {
  std::vector<std::uint32_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::uint32_t number = 0;
    const auto [last, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc() && last == name.data() + name.size()) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

std::uint64_t CgroupIdOf(std::uint32_t tgid, const std::string& procfs,
                         const std::string& cgroup_mount) {
  const auto path = ReadCgroupPath(tgid, procfs, Hierarchy::kV2);
  struct stat status {};
  return path && ::stat((cgroup_mount + *path).c_str(), &status) == 0 ? status.st_ino : 0;
}

}  // namespace

LivingProcesses LivingInProc(const std::string& procfs, const std::string& cgroup_mount) {
  LivingProcesses living;
  living.list = [procfs] {
    std::vector<LivingProcess> all;
    for (const std::uint32_t tgid : NumbersIn(procfs)) {
      LivingProcess process{tgid, NumbersIn(procfs + "/" + std::to_string(tgid) + "/task")};
      if (!process.threads.empty()) {
        all.push_back(std::move(process));
      }
    }
    return all;
  };
  living.describe = [procfs, cgroup_mount](std::uint32_t tgid) -> std::optional<TaskIdentity> {
    auto process = ReadProcessStat(tgid, procfs);
    if (!process || process->has_ended) {
      return std::nullopt;
    }
    process->identity.cgroup_id = CgroupIdOf(tgid, procfs, cgroup_mount);
    return process->identity;
  };
  return living;
}

}  // namespace sched_exporter
