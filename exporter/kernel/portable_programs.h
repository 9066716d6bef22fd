#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bpf/portable_abi.h"
#include "exporter/base/result.h"
#include "exporter/kernel/programs.h"
#include "exporter/kernel/task_offsets.h"
#include "exporter/model/exporter_stats.h"

struct portable_bpf;
struct bpf_link;

namespace sched_exporter {

/// The loaded and attached BPF programs of portable mode. Nothing is pinned.
class PortablePrograms {
 public:
  /// Takes `tasks` and `events_bytes` of the options. With `offsets` CPU time is the kernel's own
  /// figure. Fails with one line that says what is missing (privileges, tracefs, a kernel older
  /// than 5.8), or that the offsets are another kernel's.
  static Result<std::unique_ptr<PortablePrograms>> Load(
      const ProgramOptions& options, const std::optional<TaskOffsets>& offsets = {});

  ~PortablePrograms();
  PortablePrograms(const PortablePrograms&) = delete;
  PortablePrograms& operator=(const PortablePrograms&) = delete;

  /// File descriptors; owned by this object.
  int usages_fd() const;
  int events_fd() const;
  int cgroup_paths_fd() const;

  /// Counts what runs on each CPU until now. Before Linux 5.10 nothing: what runs there is counted
  /// at its next switch.
  void CountRunning() const;

  /// The books of all possible CPUs.
  std::vector<portable_cpu> ReadCpus() const;

  const ProgramOptions& options() const { return options_; }
  std::vector<ProgramStats> ReadProgramStats() const;

 private:
  PortablePrograms(const ProgramOptions& options, const std::optional<TaskOffsets>& offsets);
  Result<void> Open();
  Result<void> CheckOffsets();
  Result<void> Attach();

  ProgramOptions options_;
  std::optional<TaskOffsets> offsets_;
  ::portable_bpf* skeleton_ = nullptr;
  std::vector<bpf_link*> links_;
};

}  // namespace sched_exporter
