#include "exporter/app/attach.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "exporter/app/from_config.h"
#include "exporter/identity/cgroups.h"
#include "exporter/identity/living_in_proc.h"
#include "exporter/kernel/kernel_btf.h"
#include "exporter/kernel/load_error.h"
#include "exporter/kernel/portable_source.h"

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

namespace {

/// Only v2's cgroups are told by a helper of the kernel.
Result<Attached> AttachPortable(const Config& config, const HostPaths& paths,
                                const std::optional<TaskOffsets>& offsets) {
  if (auto host = CheckPidNamespace(); !host) {
    return tl::unexpected(host.error());
  }
  if (config.cgroup.hierarchy == CgroupHierarchy::kCpu ||
      config.cgroup.hierarchy == CgroupHierarchy::kCpuacct) {
    return Fail("portable mode knows cgroups of v2 alone; set cgroup.hierarchy to v2 or auto");
  }
  auto mount =
      ChooseCgroupMount(ReadFile("/proc/self/mountinfo"), HierarchyChoice::kV2, paths.cgroupfs);
  if (!mount) {
    return Fail("portable mode: " + mount.error().message);
  }
  auto programs = PortablePrograms::Load(
      ProgramOptionsOf(config, mount->hierarchy, /*hierarchy_id=*/0), offsets);
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  return Attached{nullptr, std::move(*programs), *mount};
}

}  // namespace

Result<Attached> AttachInMode(const Config& config, const HostPaths& paths,
                              const BpfChoice& choice) {
  BeginLibbpfLog();
  std::optional<TaskOffsets> offsets;
  if (!choice.btf_path.empty()) {
    const auto read = ReadTaskOffsets(choice.btf_path);
    if (!read) {
      return tl::unexpected(read.error());
    }
    offsets = *read;
  }
  if (choice.mode == "portable" || (choice.mode == "auto" && !HasKernelBtf())) {
    auto attached = AttachPortable(config, paths, offsets);
    if (attached) {
      spdlog::info("portable mode, {}: CPU time is {}, and some families are absent",
                   choice.mode == "auto" ? "because the kernel has no BTF" : "as --bpf.mode says",
                   offsets ? "the kernel's own, by " + choice.btf_path : "by the clock");
    }
    return attached;
  }
  auto attached = AttachPrograms(config, paths, false);
  if (attached) {
    spdlog::info("full mode, {}{}",
                 choice.mode == "full" ? "as --bpf.mode says" : "because the kernel has BTF",
                 offsets ? "; --bpf.btf-path is not needed, the kernel's own BTF holds" : "");
  }
  return attached;
}

Result<std::unique_ptr<KernelSource>> OpenSource(Attached& attached, const Config& config,
                                                 const HostPaths& paths, EventTap tap, bool holds) {
  if (attached.portable != nullptr) {
    return PortableSource::Open(*attached.portable,
                                LivingInProc(paths.procfs, attached.cgroup_mount.mount_point),
                                std::move(tap));
  }
  return Source::Open(*attached.programs, WalkOf(config.collection.walk), std::move(tap), holds);
}

Result<Wanted> FindWanted(const Config& config, const HostPaths& paths) {
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
  return Wanted{*mount, ProgramOptionsOf(config, mount->hierarchy, *hierarchy_id)};
}

void LogShortcomings(const Programs& programs) {
  for (const std::string& shortcoming : programs.shortcomings()) {
    spdlog::warn("{}", shortcoming);
  }
}

Result<Attached> AttachPrograms(const Config& config, const HostPaths& paths, bool finals_only) {
  auto wanted = FindWanted(config, paths);
  if (!wanted) {
    return tl::unexpected(wanted.error());
  }
  wanted->options.finals_only = finals_only;
  auto programs = Programs::Load(wanted->options);
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  LogShortcomings(**programs);
  return Attached{std::move(*programs), nullptr, wanted->cgroup_mount};
}

}  // namespace sched_exporter
