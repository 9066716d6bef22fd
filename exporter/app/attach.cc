#include "exporter/app/attach.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "exporter/app/from_config.h"
#include "exporter/identity/cgroups.h"

namespace sched_exporter {
namespace {

std::string ReadFile(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The task iterator sees the tasks of its opener's PID namespace, the hooks those of the host:
/// elsewhere than in the first one the sums would be wrong.
Result<void> CheckPidNamespace() {
  if (!IsInHostPidNamespace()) {
    return Fail(
        "needs the host's PID namespace to see all tasks; run the container with hostPID: true "
        "(Kubernetes) or --pid=host, see README, Requirements");
  }
  return {};
}

}  // namespace

bool IsInHostPidNamespace() {
  constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO in include/linux/proc_ns.h
  struct stat status {};
  return ::stat("/proc/self/ns/pid", &status) != 0 || status.st_ino == kFirstPidNamespace;
}

Result<CgroupMount> FindCgroupMount(const Config& config, const HostPaths& paths) {
  return ChooseCgroupMount(ReadFile("/proc/self/mountinfo"), ChoiceOf(config.cgroup.hierarchy),
                           paths.cgroupfs);
}

Result<Attached> AttachPrograms(const Config& config, const HostPaths& paths, bool finals_only) {
  if (auto host = CheckPidNamespace(); !host) {
    return tl::unexpected(host.error());
  }
  const auto mount = FindCgroupMount(config, paths);
  if (!mount) {
    return tl::unexpected(mount.error());
  }
  const auto hierarchy_id = HierarchyId(ReadFile("/proc/self/cgroup"), mount->hierarchy);
  if (!hierarchy_id) {
    return tl::unexpected(hierarchy_id.error());
  }
  ProgramOptions options = ProgramOptionsOf(config, mount->hierarchy, *hierarchy_id);
  options.finals_only = finals_only;
  auto programs = Programs::Load(options);
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  for (const std::string& shortcoming : (*programs)->shortcomings()) {
    spdlog::warn("{}", shortcoming);
  }
  return Attached{std::move(*programs), *mount};
}

}  // namespace sched_exporter
