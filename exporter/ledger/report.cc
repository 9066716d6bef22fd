#include <algorithm>

#include "exporter/ledger/ledger.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {

/// Rows are large: they are made in their order, not brought into it.
std::vector<const Ledger::Process*> Ledger::ShownByPid() const {
  std::vector<const Process*> shown;
  for (const auto& [key, process] : processes_) {
    if (processes_view_.member(process.member).shown) {
      shown.push_back(&process);
    }
  }
  std::sort(shown.begin(), shown.end(),
            [](const Process* a, const Process* b) { return a->key.tgid < b->key.tgid; });
  return shown;
}

Report Ledger::MakeReport() const {
  Report report;
  const std::vector<const Process*> shown_processes = ShownByPid();
  report.processes.reserve(shown_processes.size());
  for (const Process* shown_process : shown_processes) {
    const Process& process = *shown_process;
    const ProcessKey& key = process.key;
    const View::Member& member = processes_view_.member(process.member);
    ProcessRow& row = report.processes.emplace_back();
    row.pid = key.tgid;
    row.ppid = process.ppid;
    row.uid = process.uid;
    row.kernel_thread = process.kernel_thread;
    row.comm = PrintableComm(process.comm);
    row.group = groups_.NameOf(process.group);
    row.cgroup = cgroups_.NameOf(cgroup_members_.at(process.cgroup_id).id);
    row.population = member.population;
    row.population.oldest_start_ns = key.leader_start_ns;  // also while its last task is missing
    const LabelFloors::Said shown = ShownOf(process);
    row.totals = shown.totals;
    row.since_ns = shown.since_ns;
    row.inherited = process.offset.totals;
    row.resumed = member.resumed;
  }
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
  report.since_ns = seed_boottime_ns_;
  return report;
}

void Ledger::NoteTold() {
  groups_.NoteTold();
  cgroups_.NoteTold();
}

}  // namespace sched_exporter
