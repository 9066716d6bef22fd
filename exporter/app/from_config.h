#pragma once

#include "exporter/app/pod_watcher.h"
#include "exporter/config/config.h"
#include "exporter/identity/cgroups.h"
#include "exporter/kernel/programs.h"
#include "exporter/kernel/source.h"
#include "exporter/ledger/ledger.h"

namespace sched_exporter {

/// What the config says, in the words of each stage.
HierarchyChoice ChoiceOf(CgroupHierarchy hierarchy);
Walk WalkOf(WalkMethod method);
LedgerLimits LimitsOf(const LimitsConfig& limits);

PodSources PodSourcesOf(const Config& config);

/// Whether a rule looks at command lines.
bool RulesNeedArguments(const Config& config);

/// Whether any histogram of cgroups is served.
bool WantsDistributions(const Config& config);

/// Whether the BPF programs have to read command lines at exec.
bool NeedsArguments(const Config& config);

/// Whether /proc/PID/exe of processes of other users is read while the exporter serves.
bool ReadsForeignExes(const Config& config);

/// Sizes and choices of the BPF programs; the hierarchy is as it was found on this host.
ProgramOptions ProgramOptionsOf(const Config& config, Hierarchy hierarchy,
                                std::uint32_t hierarchy_id);

}  // namespace sched_exporter
