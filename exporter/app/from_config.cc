#include "exporter/app/from_config.h"

namespace sched_exporter {
namespace {

abi_hierarchy ToAbi(Hierarchy hierarchy) {
  switch (hierarchy) {
    case Hierarchy::kCpu:
      return ABI_HIERARCHY_CPU;
    case Hierarchy::kCpuacct:
      return ABI_HIERARCHY_CPUACCT;
    case Hierarchy::kV2:
      break;
  }
  return ABI_HIERARCHY_V2;
}

Transport TransportOf(EventTransport transport) {
  switch (transport) {
    case EventTransport::kRingbuf:
      return Transport::kRingbuf;
    case EventTransport::kPerfbuf:
      return Transport::kPerfbuf;
    case EventTransport::kAuto:
      break;
  }
  return Transport::kAuto;
}

ExecFailures ExecFailuresOf(ExecFailureSource source) {
  switch (source) {
    case ExecFailureSource::kFexit:
      return ExecFailures::kFexit;
    case ExecFailureSource::kTracepoint:
      return ExecFailures::kTracepoint;
    case ExecFailureSource::kOff:
      return ExecFailures::kOff;
    case ExecFailureSource::kAuto:
      break;
  }
  return ExecFailures::kAuto;
}

}  // namespace

HierarchyChoice ChoiceOf(CgroupHierarchy hierarchy) {
  switch (hierarchy) {
    case CgroupHierarchy::kV2:
      return HierarchyChoice::kV2;
    case CgroupHierarchy::kCpu:
      return HierarchyChoice::kCpu;
    case CgroupHierarchy::kCpuacct:
      return HierarchyChoice::kCpuacct;
    case CgroupHierarchy::kAuto:
      break;
  }
  return HierarchyChoice::kAuto;
}

Walk WalkOf(WalkMethod method) {
  switch (method) {
    case WalkMethod::kBatch:
      return Walk::kBatch;
    case WalkMethod::kNextKey:
      return Walk::kNextKey;
    case WalkMethod::kAuto:
      break;
  }
  return Walk::kAuto;
}

LedgerLimits LimitsOf(const LimitsConfig& limits) {
  return {limits.processes, limits.groups, limits.cgroups, limits.codes,
          static_cast<std::uint64_t>(std::chrono::nanoseconds(limits.dead_series).count())};
}

PodSources PodSourcesOf(const Config& config) {
  const KubernetesConfig& kubernetes = config.kubernetes;
  return {kubernetes.log_directory, kubernetes.pod_list_file, kubernetes.pod_list_url,
          config.limits.dead_series};
}

bool RulesNeedArguments(const Config& config) {
  return config.naming.rules != nullptr && config.naming.rules->needs().arguments;
}

bool WantsDistributions(const Config& config) {
  return config.histograms.runqueue_latency || config.histograms.timeslice;
}

bool NeedsArguments(const Config& config) {
  return config.events.arguments || RulesNeedArguments(config);
}

bool ReadsForeignExes(const Config& config) {
  return config.labels.Has(LabelSwitch::kProcessInfoExe);
}

ProgramOptions ProgramOptionsOf(const Config& config, Hierarchy hierarchy,
                                std::uint32_t hierarchy_id) {
  ProgramOptions options;
  options.tasks = config.maps.tasks;
  options.events_bytes = config.maps.events_bytes;
  options.sums = config.maps.sums;
  options.cgroups = config.maps.cgroups;
  options.transport = TransportOf(config.events.transport);
  options.exec_failures = ExecFailuresOf(config.events.exec_failures);
  options.arguments_bytes = NeedsArguments(config) ? config.events.arguments_bytes : 0;
  options.distributions = WantsDistributions(config);
  options.hierarchy = ToAbi(hierarchy);
  options.hierarchy_id = hierarchy_id;
  return options;
}

}  // namespace sched_exporter
