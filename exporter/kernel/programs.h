#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bpf/abi.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/kernel/kernel_features.h"
#include "exporter/kernel/pins.h"
#include "exporter/model/exporter_stats.h"

struct sched_bpf;
struct bpf_link;
struct bpf_object;

namespace sched_exporter {

/// How events come from the kernel.
enum class Transport {
  kAuto,     ///< A ring buffer where the kernel has one (5.8), else perf buffers.
  kRingbuf,  ///< BPF_MAP_TYPE_RINGBUF: one buffer, in the order of happening.
  kPerfbuf,  ///< BPF_MAP_TYPE_PERF_EVENT_ARRAY: a buffer for each CPU, put in order by time.
};

/// How execs that fail are met.
enum class ExecFailures {
  kAuto,        ///< By fexit where the kernel can do that, else by tracepoint.
  kFexit,       ///< At the end of the system call's function; costs only those who call it.
  kTracepoint,  ///< sys_exit_execve and sys_exit_execveat; slows every system call of the machine.
  kOff,
};

/// Sizes and choices that are fixed when the programs are loaded.
struct ProgramOptions {
  std::uint32_t tasks = 16384;           ///< Entries of the LRU hash.
  std::uint32_t events_bytes = 1048576;  ///< Event buffer; a power of two, at least a page.
  std::uint32_t sums = 1024;             ///< Entries of the sums and of the counts behind it.
  Transport transport = Transport::kAuto;
  ExecFailures exec_failures = ExecFailures::kAuto;
  std::uint32_t arguments_bytes = 0;  ///< Of a command line, told at exec; up to 4096.
  std::uint32_t cgroups = 512;  ///< That have distributions at a time; 512 bytes each on each CPU.
  bool distributions = true;    ///< Of timeslices and run-queue latency by cgroup.
  bool finals_only = false;     ///< Of what tasks use, tell no more than their final figures.
  abi_hierarchy hierarchy = ABI_HIERARCHY_V2;
  std::uint32_t hierarchy_id = 0;  ///< Its number in /proc/self/cgroup; 0 is v2.
};

/// The programs on classic tracepoints, which have no links before 5.15, and theirs.
inline constexpr std::array<std::pair<const char*, const char*>, 2> kTracedPrograms{
    {{"traced_execve", "syscalls/sys_exit_execve"},
     {"traced_execveat", "syscalls/sys_exit_execveat"}}};

/// One more than the last possible CPU's number: numbers may have gaps ("0,2-3"), and a CPU beyond
/// the maps would not be counted. Fails with one line.
Result<std::uint32_t> CountPossibleCpus();

/// The loaded and attached BPF programs. Where nothing is pinned the kernel takes programs and maps
/// away, whatever ends the process.
class Programs {
 public:
  /// Loads, attaches and marks every CPU. Fails with one line that says what is missing
  /// (privileges, BTF, a kernel older than 5.8) and what to do.
  static Result<std::unique_ptr<Programs>> Load(const ProgramOptions& options);

  /// Takes over those that Pin() has left, which have counted on since. `layout` is what is written
  /// beside them, of this version. Fails with one line where any of them isn't there.
  static Result<std::unique_ptr<Programs>> Adopt(const Pins& pins, const abi_layout& layout);

  /// Lets programs and maps outlive this process until Pins::Remove(). `instance` names them.
  Result<void> Pin(const Pins& pins, std::uint64_t instance, const char* version);

  /// The options that programs were loaded with, as they are written beside them.
  static ProgramOptions OptionsOf(const abi_layout& layout);

  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  /// File descriptors; owned by this object.
  int tasks_fd() const;
  int events_fd() const;
  int sums_fd(std::uint32_t index) const;    ///< 0 or 1.
  int counts_fd(std::uint32_t index) const;  ///< 0 or 1.
  int counts_other_fd() const;
  int cgroup_paths_fd() const;
  int distributions_fd() const;
  int iterator_link_fd() const;

  /// The memory that the programs share with us: the number of the sweep, and whose turn it is to
  /// be filled (bpf/maps.bpf.h).
  void StartSweep(std::uint32_t number);
  std::uint32_t sums_turn() const;
  void set_sums_turn(std::uint32_t turn);

  /// Places that each CPU has in the map `distributions`; 0: there are no distributions.
  std::uint32_t cgroup_places() const;

  /// The books of one of the possible CPUs, written by the kernel at any moment.
  const volatile abi_cpu& cpu(std::uint32_t index) const { return cpus_[index].books; }
  std::uint32_t cpu_count() const { return cpu_count_; }

  /// Forks, execs, exits and OOM kills that had no room in the event buffer until now.
  std::uint64_t CountLostLifecycle() const;

  /// With the transport that was chosen, not kAuto.
  const ProgramOptions& options() const { return options_; }
  std::vector<ProgramStats> ReadProgramStats() const;

  /// The loaded object, for those who look into programs and maps; owned by this one. Of adopted
  /// programs it has the maps alone.
  const bpf_object* object() const;

  /// What this kernel can't do, a line each, for the log.
  const std::vector<std::string>& shortcomings() const { return shortcomings_; }

 private:
  explicit Programs(const ProgramOptions& options);
  Result<void> Open();
  void SetKnobs();
  void ChooseExecFailurePrograms();
  Result<void> SizeMaps();
  Result<void> Attach();
  Result<void> MapCpus();
  void AttachTracepoints();
  Result<void> AdoptMaps(const Pins& pins);
  Result<void> AdoptPrograms(const Pins& pins);
  void AdoptTracepoints(const Pins& pins);
  Result<void> PinPrograms(const Pins& pins);
  void PinTracepoints(const Pins& pins);

  ProgramOptions options_;
  KernelFeatures features_;
  ::sched_bpf* skeleton_ = nullptr;
  std::vector<bpf_link*> tracepoint_links_;
  std::vector<std::string> shortcomings_;
  std::vector<std::pair<std::string, UniqueFd>> adopted_;  ///< Programs, by name.
  bool is_pinned_ = false;
  std::vector<UniqueFd> adopted_events_;  ///< Of tracepoints that adopted programs are on.
  std::size_t bss_bytes_ = 0;             ///< Mapped by this; 0: it is the skeleton's.
  const volatile abi_cpu_memory* cpus_ = nullptr;
  std::size_t cpus_bytes_ = 0;
  std::uint32_t cpu_count_ = 0;
};

}  // namespace sched_exporter
