#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/plain.h"
#include "exporter/model/distributions.h"
#include "exporter/model/group.h"
#include "exporter/model/lifecycle.h"
#include "exporter/model/totals.h"

namespace sched_exporter {

/// What lives in a process, group or cgroup at the moment.
struct Population {
  std::uint32_t threads = 0;
  std::uint32_t processes = 0;
  std::uint64_t oldest_start_ns = 0;  ///< CLOCK_BOOTTIME of the oldest process; 0: none lives.
};

template <>
inline constexpr bool kIsPlain<Population> = true;

/// A process with series of its own.
struct ProcessRow {
  std::uint32_t pid = 0;
  std::optional<std::uint32_t> ppid;  ///< None: not wanted in labels.
  std::uint32_t uid = 0;
  bool kernel_thread = false;
  std::string comm;    ///< Printable.
  std::string group;   ///< Printable.
  std::string cgroup;  ///< Printable path from the root of the hierarchy.
  std::string exe;     ///< Printable; empty where there is none or it can't be read.
  std::string user;    ///< Printable.
  /// What the path of the cgroup says, as labels of cgroups have it.
  std::map<std::string, std::string> cgroup_labels;
  Population population;
  Totals totals;
  /// Part of `totals`: what ended processes with the same labels had counted.
  Totals inherited = {};
  /// It was folded for a time since the series began: `totals` has a gap.
  bool resumed = false;
  std::uint64_t since_ns = 0;  ///< As NamedRow has it.
};

/// A group or cgroup with series of its own.
struct NamedRow {
  std::string name;  ///< Printable; with the labels it is unique in its view.
  std::map<std::string, std::string> labels;  ///< Beside the name; printable.
  Population population;
  Totals totals;
  Lifecycle lifecycle = {};
  Distributions distributions = {};  ///< Of cgroups.
  /// CLOCK_BOOTTIME at which totals, lifecycle and distributions were 0; later than any moment at
  /// which a report had more of a row of this name.
  std::uint64_t since_ns = 0;
  bool resumed = false;  ///< As ProcessRow's.

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(name, labels, population, totals, lifecycle, distributions, since_ns, resumed);
  }
};

/// What has no series of its own in a view, together.
struct OtherRow {
  bool present = false;      ///< Something was ever folded.
  std::uint64_t folded = 0;  ///< Members folded at the moment.
  Population population;
  Totals totals;
  Lifecycle lifecycle = {};          ///< Not of processes.
  Distributions distributions = {};  ///< Of cgroups.
  std::uint64_t since_ns = 0;        ///< As NamedRow has it.
};

struct CpuRow {
  std::uint32_t cpu = 0;
  std::uint64_t busy_ns = 0;
  std::uint64_t missed_switches = 0;
};

/// The ledger's totals at one moment: all that metrics are made of.
struct Report {
  std::vector<ProcessRow> processes;
  std::vector<NamedRow> groups;
  std::vector<NamedRow> cgroups;
  std::vector<NamedRow> removed_cgroups;  ///< Sums, by the cgroup above; without population.
  OtherRow other_processes;
  std::string other_comm = kOtherName;   ///< Label of other_processes; empty: not wanted.
  std::string other_group = kOtherName;  ///< The same.
  OtherRow other_groups;
  OtherRow other_cgroups;
  std::vector<CpuRow> cpus;
  std::uint64_t unattributed_ns = 0;
  std::uint64_t tasks = 0;                               ///< Living.
  std::map<std::uint32_t, std::uint64_t> exec_failures;  ///< Of the whole host, by errno.
  std::uint64_t since_ns = 0;  ///< CLOCK_BOOTTIME at which all of it was 0.
};

}  // namespace sched_exporter
