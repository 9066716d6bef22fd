#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bpf/abi.h"
#include "exporter/base/result.h"
#include "exporter/model/exporter_stats.h"

struct sched_bpf;

namespace sched_exporter {

/// Sizes and choices that are fixed when the programs are loaded.
struct ProgramOptions {
  std::uint32_t tasks = 16384;           ///< Entries of the LRU hash.
  std::uint32_t events_bytes = 1048576;  ///< Ring buffer; a power of two, at least a page.
  std::uint32_t sums = 1024;             ///< Entries of the sums behind it.
  abi_hierarchy hierarchy = ABI_HIERARCHY_V2;
  std::uint32_t hierarchy_id = 0;  ///< Its number in /proc/self/cgroup; 0 is v2.
};

/// The loaded and attached BPF programs. Nothing is pinned: whatever ends the process, the kernel
/// takes programs and maps away.
class Programs {
 public:
  /// Loads, attaches and marks every CPU. Fails with one line that says what is missing
  /// (privileges, BTF, a kernel older than 5.8) and what to do.
  static Result<std::unique_ptr<Programs>> Load(const ProgramOptions& options);

  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  /// File descriptors; owned by this object.
  int tasks_fd() const;
  int finished_fd() const;
  int sums_fd(std::uint32_t index) const;  ///< 0 or 1.
  int cgroup_paths_fd() const;
  int iterator_link_fd() const;

  /// The memory that the programs share with us: the number of the sweep, and which sums are
  /// filled.
  void StartSweep(std::uint32_t number);
  std::uint32_t active_sums() const;
  void set_active_sums(std::uint32_t index);

  /// One element for each possible CPU, written by the kernel at any moment.
  const volatile abi_cpu* cpus() const { return cpus_; }
  std::uint32_t cpu_count() const { return cpu_count_; }

  const ProgramOptions& options() const { return options_; }
  std::vector<ProgramStats> ReadProgramStats() const;

 private:
  explicit Programs(const ProgramOptions& options);
  Result<void> Open();
  Result<void> Attach();
  Result<void> MapCpus();
  void MarkCpus();

  ProgramOptions options_;
  ::sched_bpf* skeleton_ = nullptr;
  const volatile abi_cpu* cpus_ = nullptr;
  std::size_t cpus_bytes_ = 0;
  std::uint32_t cpu_count_ = 0;
};

}  // namespace sched_exporter
