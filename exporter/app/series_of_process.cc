#include "exporter/app/series_of_process.h"

#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "exporter/app/report_labels.h"
#include "exporter/identity/process_details.h"
#include "exporter/ledger/ledger.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter {
namespace {

/// A family that has a series for each label set of its view, and how the view is shown.
struct ShownFamily {
  std::string_view family;
  std::string_view as;
};

constexpr std::array<ShownFamily, 4> kShown{{{"sched_process_threads", "sched_process_*"},
                                             {"sched_process_info", "sched_process_info"},
                                             {"sched_group_threads", "sched_group_*"},
                                             {"sched_cgroup_threads", "sched_cgroup_*"}}};

/// What a ledger makes of this one process: it decides who has series, here as in the exporter.
Report ReportOf(const TaskIdentity& identity, HostNaming& naming) {
  Ledger ledger({}, naming);
  Snapshot snapshot;
  snapshot.sweep = 1;
  snapshot.boottime_ns = identity.start_ns;
  TaskReading& reading = snapshot.living.emplace_back();
  reading.key = 1;
  reading.identity = identity;
  ledger.Apply(snapshot);
  return ledger.MakeReport();
}

}  // namespace

std::vector<std::string> SeriesOfProcess(const TaskIdentity& identity, HostNaming& naming,
                                         const LabelsConfig& labels, const HostPaths& paths) {
  Sample sample;
  sample.report = ReportOf(identity, naming);
  ProcessDetails details(paths);
  AddDetails(sample.report, details, naming);
  OmitLabels(labels, sample.report);
  const std::string text = Serialize(sample, TextFormat::kClassic);
  std::vector<std::string> sets;
  for (const ShownFamily& shown : kShown) {
    std::istringstream lines(text);
    const std::string start = std::string(shown.family) + "{";
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(start)) {
        // The value is behind the last space: label values may have spaces, a number has none.
        const std::size_t from = shown.family.size();
        sets.push_back(std::string(shown.as) + line.substr(from, line.rfind(' ') - from));
      }
    }
  }
  return sets;
}

}  // namespace sched_exporter
