#include <algorithm>

#include "exporter/ledger/ledger.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {

View::Id Ledger::NamedView::Find(const std::string& name) {
  const auto [entry, added] = ids.try_emplace(name);
  if (added) {
    entry->second = view.Add();
    names[entry->second] = name;
  }
  return entry->second;
}

Lifecycle& Ledger::NamedView::Addition(View::Id id) {
  view.Credit(id, Delta{});
  return lifecycles.Pending(id);
}

void Ledger::NamedView::Settle(std::uint64_t now_ns, std::size_t max_codes) {
  std::vector<View::Id> removed;
  view.Settle(now_ns, removed);
  lifecycles.Settle(view, max_codes);
  for (const View::Id id : removed) {
    lifecycles.Remove(id);
    const auto name = names.find(id);
    ids.erase(name->second);
    names.erase(name);
  }
}

std::vector<NamedRow> Ledger::NamedView::Rows() const {
  std::vector<NamedRow> rows;
  for (const auto& [id, name] : names) {
    const View::Member& member = view.member(id);
    if (member.shown) {
      rows.push_back({name, member.population, member.totals, lifecycles.Of(id)});
    }
  }
  std::sort(rows.begin(), rows.end(),
            [](const NamedRow& a, const NamedRow& b) { return a.name < b.name; });
  return rows;
}

OtherRow Ledger::NamedView::Other() const {
  OtherRow other = view.Other();
  other.lifecycle = lifecycles.Other();
  other.present = other.present || lifecycles.has_other();
  return other;
}

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
    row.group = groups_.names.at(process.group);
    row.cgroup = cgroups_.names.at(cgroup_members_.at(process.cgroup_id).id);
    row.population = member.population;
    row.population.oldest_start_ns = key.leader_start_ns;  // also while its last task is missing
    row.totals = ShownTotals(process);
    report.processes.push_back(std::move(row));
  }
  std::sort(report.processes.begin(), report.processes.end(),
            [](const ProcessRow& a, const ProcessRow& b) { return a.pid < b.pid; });
  report.groups = groups_.Rows();
  report.cgroups = cgroups_.Rows();
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

}  // namespace sched_exporter
