#pragma once

#include "exporter/app/host_naming.h"
#include "exporter/config/config.h"
#include "exporter/identity/process_details.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// Adds what is known of processes and cgroups beyond the ledger: program, user, unit, pod.
void AddDetails(Report& report, ProcessDetails& details, HostNaming& naming);

/// Takes out what the config doesn't want as labels.
void OmitLabels(const LabelsConfig& labels, Report& report);

}  // namespace sched_exporter
