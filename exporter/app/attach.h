#pragma once

#include <memory>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/identity/cgroups.h"
#include "exporter/identity/host_paths.h"
#include "exporter/kernel/bpf_choice.h"
#include "exporter/kernel/kernel_source.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/kernel/portable_programs.h"
#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// Programs at work, and where the cgroups that they speak of are found.
struct Attached {
  std::unique_ptr<Programs> programs;          ///< Null in portable mode.
  std::unique_ptr<PortablePrograms> portable;  ///< Null in full mode.
  CgroupMount cgroup_mount;
};

/// Whether PIDs here are the host's.
bool IsInHostPidNamespace();

/// Where the hierarchy is mounted that names cgroups, as the config and the command line say.
Result<CgroupMount> FindCgroupMount(const Config& config, const HostPaths& paths);

/// What the BPF programs are to be loaded with, as the config says and this host needs.
struct Wanted {
  CgroupMount cgroup_mount;
  ProgramOptions options;
};
Result<Wanted> FindWanted(const Config& config, const HostPaths& paths);

/// Loads and attaches the BPF programs as the config says; writes to the log what this kernel can't
/// do. With `finals_only` they tell no more of CPU time than what a task used in all. Fails with
/// one line that says what is missing.
Result<Attached> AttachPrograms(const Config& config, const HostPaths& paths, bool finals_only);

/// Writes to the log what programs can't do here.
void LogShortcomings(const Programs& programs);

/// The same in the mode that is chosen or that this kernel allows, which one line in the log tells.
Result<Attached> AttachInMode(const Config& config, const HostPaths& paths,
                              const BpfChoice& choice);

/// Opens the reader of what is attached; `holds` as Source::Open() has it.
Result<std::unique_ptr<KernelSource>> OpenSource(Attached& attached, const Config& config,
                                                 const HostPaths& paths, EventTap tap, bool holds);

}  // namespace sched_exporter
