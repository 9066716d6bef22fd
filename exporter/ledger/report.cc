#include <algorithm>

#include "exporter/ledger/ledger.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {

Report Ledger::MakeReport() const {
  Report report;
  for (const auto& [key, process] : processes_) {
    const View::Member& member = processes_view_.member(process.member);
    if (!member.shown) {
      continue;
    }
    ProcessRow row;
    row.pid = key.tgid;
    row.ppid = process.ppid;
    row.uid = process.uid;
    row.kernel_thread = process.kernel_thread;
    row.comm = PrintableComm(process.comm);
    row.group = groups_.NameOf(process.group);
    row.cgroup = cgroups_.NameOf(cgroup_members_.at(process.cgroup_id).id);
    row.population = member.population;
    row.population.oldest_start_ns = key.leader_start_ns;  // also while its last task is missing
    row.totals = ShownTotals(process);
    row.inherited = process.offset;
    row.resumed = member.resumed;
    report.processes.push_back(std::move(row));
  }
  std::sort(report.processes.begin(), report.processes.end(),
            [](const ProcessRow& a, const ProcessRow& b) { return a.pid < b.pid; });
  report.groups = groups_.Rows();
  report.cgroups = cgroups_.Rows();
  report.removed_cgroups = removed_cgroups_.Rows();
  report.other_processes = processes_view_.Other();
  report.other_groups = groups_.Other();
  report.other_cgroups = cgroups_.Other();
  for (std::uint32_t cpu = 0; cpu < cpus_.size(); ++cpu) {
    report.cpus.push_back({cpu, cpus_[cpu].busy_ns, cpus_[cpu].missed_switches});
  }
  report.unattributed_ns = unattributed_ns_;
  report.exec_failures = exec_failures_;
  report.tasks = living_;
  return report;
}

void Ledger::NoteTold() {
  groups_.NoteTold();
  cgroups_.NoteTold();
}

}  // namespace sched_exporter
