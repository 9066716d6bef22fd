#pragma once

#include <memory>

#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/identity/cgroups.h"
#include "exporter/identity/host_paths.h"
#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// Programs at work, and where the cgroups that they speak of are found.
struct Attached {
  std::unique_ptr<Programs> programs;
  CgroupMount cgroup_mount;
};

/// Whether PIDs here are the host's.
bool IsInHostPidNamespace();

/// Where the hierarchy is mounted that names cgroups, as the config and the command line say.
Result<CgroupMount> FindCgroupMount(const Config& config, const HostPaths& paths);

/// Loads and attaches the BPF programs as the config says; writes to the log what this kernel can't
/// do. With `finals_only` they tell no more of CPU time than what a task used in all. Fails with
/// one line that says what is missing.
Result<Attached> AttachPrograms(const Config& config, const HostPaths& paths, bool finals_only);

}  // namespace sched_exporter
