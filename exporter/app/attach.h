#pragma once

#include <memory>
#include <string>

#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// Programs at work, and where the cgroups that they speak of are found.
struct Attached {
  std::unique_ptr<Programs> programs;
  std::string cgroup_mount;
};

/// Loads and attaches the BPF programs as the config says; writes to the log what this kernel can't
/// do. With `finals_only` they tell no more of CPU time than what a task used in all. Fails with
/// one line that says what is missing.
Result<Attached> AttachPrograms(const Config& config, bool finals_only);

}  // namespace sched_exporter
