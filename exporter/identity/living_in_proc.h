#pragma once

#include <string>

#include "exporter/model/living_process.h"

namespace sched_exporter {

/// Who lives, by /proc. Cgroups are those of the hierarchy v2, which is mounted at `cgroup_mount`.
LivingProcesses LivingInProc(const std::string& procfs, const std::string& cgroup_mount);

}  // namespace sched_exporter
