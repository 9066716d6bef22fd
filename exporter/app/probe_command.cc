#include "exporter/app/probe_command.h"

#include <sys/utsname.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "exporter/app/attach.h"
#include "exporter/app/log.h"
#include "exporter/app/probe_text.h"
#include "exporter/kernel/capabilities.h"
#include "exporter/kernel/kernel_probe.h"

namespace sched_exporter {
namespace {

Finding PidNamespaceFinding() {
  return IsInHostPidNamespace()
             ? Finding{"host's PID namespace", {Found::kYes}, "all tasks are seen"}
             : Finding{"host's PID namespace",
                       {Found::kNo},
                       "it does not start: hostPID: true (Kubernetes) or --pid=host"};
}

const char* HierarchyName(Hierarchy hierarchy) {
  switch (hierarchy) {
    case Hierarchy::kCpu:
      return "v1, cpu";
    case Hierarchy::kCpuacct:
      return "v1, cpuacct";
    case Hierarchy::kV2:
      break;
  }
  return "v2";
}

Finding CgroupFinding(const Result<CgroupMount>& mount) {
  return mount ? Finding{"cgroup hierarchy",
                         {Found::kYes, std::string(HierarchyName(mount->hierarchy)) + " at " +
                                           mount->mount_point},
                         "figures by cgroup"}
               : Finding{
                     "cgroup hierarchy", {Found::kNo, mount.error().message}, "it does not start"};
}

/// Portable mode has no other cgroups than those of v2.
bool HasCgroupsOfV2(const Config& config, const HostPaths& paths) {
  Config of_v2 = config;
  of_v2.cgroup.hierarchy = CgroupHierarchy::kV2;
  return FindCgroupMount(of_v2, paths).has_value();
}

/// The mode, and why. What is missing comes in the order in which a start would fail.
void ChooseMode(const KernelProbe& kernel, bool has_mount, bool has_v2, ProbeReport& report) {
  report.mode = "none";
  if (!IsInHostPidNamespace()) {
    report.reason = "this is not the host's PID namespace";
  } else if (!HasBpfCapabilities()) {
    report.reason = "CAP_BPF and CAP_PERFMON (or root) are missing";
  } else if (kernel.full_mode && has_mount) {
    report.mode = "full";
    report.reason = "all figures are the kernel's own";
  } else if (kernel.has_btf) {
    report.reason = has_mount ? "the kernel lacks what full mode needs, see above"
                              : "no cgroup hierarchy is found";
  } else if (!has_v2) {
    report.reason = "portable mode, for want of BTF, needs cgroups of v2; mount them";
  } else if (!kernel.portable_mode) {
    report.reason = "there is no BTF, and portable mode lacks something, too, see above";
  } else {
    report.mode = "portable";
    report.reason = "there is no BTF: CPU time is by the clock, and some families are absent";
  }
}

}  // namespace

int RunProbeCommand(const Config& config, const HostPaths& paths, const ProbeRequest& request) {
  utsname names{};
  ::uname(&names);
  ProbeReport report;
  report.kernel = names.release;
  report.machine = names.machine;
  KernelProbe kernel = ProbeRunningKernel();
  const auto mount = FindCgroupMount(config, paths);
  ChooseMode(kernel, mount.has_value(), HasCgroupsOfV2(config, paths), report);
  report.findings = std::move(kernel.findings);
  report.findings.push_back(PidNamespaceFinding());
  report.findings.push_back(CgroupFinding(mount));
  const std::string text = request.format == "json" ? ProbeJson(report) : ProbeTableText(report);
  if (std::fputs(text.c_str(), stdout) < 0) {
    return Fatal({"cannot write to standard output"});
  }
  return report.mode == "none" ? EXIT_FAILURE : EXIT_SUCCESS;
}

}  // namespace sched_exporter
