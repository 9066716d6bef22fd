#pragma once

#include "exporter/config/config.h"
#include "exporter/identity/process_details.h"
#include "exporter/model/naming.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// Adds what is known of processes and cgroups beyond the ledger: program, user, unit, pod.
void AddDetails(Report& report, ProcessDetails& details, Naming& naming);

/// Takes out what the config doesn't want as labels.
void OmitLabels(const LabelsConfig& labels, Report& report);

/// Takes out the histograms that the config doesn't want.
void OmitHistograms(const HistogramsConfig& histograms, Report& report);

/// Takes out only programs and users of processes, where the config doesn't want them as labels:
/// the rest is what the live view calls its rows by.
void OmitDetails(const LabelsConfig& labels, Report& report);

}  // namespace sched_exporter
