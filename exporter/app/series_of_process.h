#pragma once

#include <string>
#include <vector>

#include "exporter/app/host_naming.h"
#include "exporter/config/config.h"
#include "exporter/identity/host_paths.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// The label sets of the series that a living process is in, as a scrape has them:
/// `sched_process_*{pid="1",…}`, `sched_process_info{…}`, `sched_group_*{…}`, `sched_cgroup_*{…}`,
/// as if no limit folded anything. `naming` has to know the ancestors whose group it may inherit.
std::vector<std::string> SeriesOfProcess(const TaskIdentity& identity, HostNaming& naming,
                                         const LabelsConfig& labels, const HostPaths& paths);

}  // namespace sched_exporter
