#include "exporter/app/report_labels.h"

#include <string>
#include <unordered_map>

namespace sched_exporter {
namespace {

using CgroupLabelMap = std::map<std::string, std::string>;

void OmitIf(bool omit, std::string& value) {
  if (omit) {
    value.clear();
  }
}

void OmitIf(bool omit, const char* label, CgroupLabelMap& labels) {
  if (omit) {
    labels.erase(label);
  }
}

void OmitOfProcess(const LabelsConfig& labels, ProcessRow& row) {
  const auto omits = [&labels](LabelSwitch label) { return !labels.Has(label); };
  OmitIf(omits(LabelSwitch::kProcessComm), row.comm);
  OmitIf(omits(LabelSwitch::kProcessGroup), row.group);
  OmitIf(omits(LabelSwitch::kProcessInfoExe), row.exe);
  OmitIf(omits(LabelSwitch::kProcessInfoUser), row.user);
  OmitIf(omits(LabelSwitch::kProcessInfoCgroup), row.cgroup);
  if (omits(LabelSwitch::kProcessInfoPpid)) {
    row.ppid.reset();
  }
  OmitIf(omits(LabelSwitch::kProcessInfoUnit), "unit", row.cgroup_labels);
  OmitIf(omits(LabelSwitch::kProcessInfoNamespace), "namespace", row.cgroup_labels);
  OmitIf(omits(LabelSwitch::kProcessInfoPod), "pod", row.cgroup_labels);
  OmitIf(omits(LabelSwitch::kProcessInfoContainer), "container", row.cgroup_labels);
}

void OmitOfCgroup(const LabelsConfig& labels, NamedRow& row) {
  const auto omits = [&labels](LabelSwitch label) { return !labels.Has(label); };
  OmitIf(omits(LabelSwitch::kCgroupUnit), "unit", row.labels);
  OmitIf(omits(LabelSwitch::kCgroupNamespace), "namespace", row.labels);
  OmitIf(omits(LabelSwitch::kCgroupPod), "pod", row.labels);
  OmitIf(omits(LabelSwitch::kCgroupContainer), "container", row.labels);
}

void OmitOfDistributions(const HistogramsConfig& histograms, Distributions& distributions) {
  if (!histograms.runqueue_latency) {
    distributions.runqueue_latency = {};
  }
  if (!histograms.timeslice) {
    distributions.timeslice = {};
  }
}

}  // namespace

void AddDetails(Report& report, ProcessDetails& details, Naming& naming) {
  // Many processes share a cgroup.
  std::unordered_map<std::string, CgroupLabelMap> known;
  const auto labels_of = [&](const std::string& path) -> const CgroupLabelMap& {
    const auto [entry, added] = known.try_emplace(path);
    if (added) {
      entry->second = naming.CgroupLabels(path);
    }
    return entry->second;
  };
  for (NamedRow& row : report.cgroups) {
    row.labels = labels_of(row.name);
  }
  for (ProcessRow& row : report.processes) {
    const ProcessDetails::Details& found = details.Of(row);
    row.exe = found.exe;
    row.user = found.user;
    row.cgroup_labels = labels_of(row.cgroup);
  }
  details.Prune();
}

void OmitLabels(const LabelsConfig& labels, Report& report) {
  if (labels.omit.empty()) {
    return;
  }
  for (ProcessRow& row : report.processes) {
    OmitOfProcess(labels, row);
  }
  OmitIf(!labels.Has(LabelSwitch::kProcessComm), report.other_comm);
  OmitIf(!labels.Has(LabelSwitch::kProcessGroup), report.other_group);
  for (NamedRow& row : report.cgroups) {
    OmitOfCgroup(labels, row);
  }
}

void OmitHistograms(const HistogramsConfig& histograms, Report& report) {
  for (std::vector<NamedRow>* const rows : {&report.cgroups, &report.removed_cgroups}) {
    for (NamedRow& row : *rows) {
      OmitOfDistributions(histograms, row.distributions);
    }
  }
  OmitOfDistributions(histograms, report.other_cgroups.distributions);
}

void OmitDetails(const LabelsConfig& labels, Report& report) {
  for (ProcessRow& row : report.processes) {
    OmitIf(!labels.Has(LabelSwitch::kProcessInfoExe), row.exe);
    OmitIf(!labels.Has(LabelSwitch::kProcessInfoUser), row.user);
  }
}

}  // namespace sched_exporter
