#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sched_exporter {

/// How one BPF program did; runs and time are counted while kernel.bpf_stats_enabled is on.
struct ProgramStats {
  std::string name;
  std::uint64_t runs = 0;
  std::uint64_t run_ns = 0;
  std::uint64_t recursion_misses = 0;
};

/// How one BPF map did.
struct MapStats {
  std::string name;
  std::uint64_t entries = 0;         ///< At the last sweep; bytes for the event buffer.
  std::uint64_t max_entries = 0;     ///< In the same unit.
  std::uint64_t failed_updates = 0;  ///< Entries that the map did not take, or had no room for.
};

/// What a buffer had no room for, by what it would have carried.
struct LostEvents {
  std::string buffer;
  std::uint64_t events = 0;
};

/// The exporter's own process (procfs(5)).
struct SelfStats {
  std::uint64_t cpu_ns = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t start_boottime_ns = 0;
};

/// Which programs feed the exporter.
enum class Mode {
  kFull,      ///< The kernel's own figures, by its BTF.
  kPortable,  ///< Classic tracepoints and the clock: fewer families.
};

/// What the exporter says of itself.
struct ExporterStats {
  std::string version;
  Mode mode = Mode::kFull;
  std::uint64_t since_ns = 0;     ///< CLOCK_BOOTTIME before anything below was counted.
  std::uint64_t collect_ns = 0;   ///< The last sweep, from the first read to the totals.
  std::uint64_t collections = 0;  ///< Sweeps that succeeded.
  std::uint64_t collection_errors = 0;
  std::vector<MapStats> maps;
  std::vector<LostEvents> lost_events;
  std::uint64_t event_lines = 0;  ///< Written to the event stream.
  std::uint64_t torn_entries = 0;
  std::uint64_t incomplete_walks = 0;
  std::uint64_t rule_evaluations = 0;  ///< Times that rules were asked for a process's group.
  bool keeps_totals = false;           ///< For the next exporter; and how that went:
  std::uint64_t kept_bytes = 0;        ///< The last time.
  std::uint64_t keep_ns = 0;           ///< How long that took.
  std::uint64_t keep_errors = 0;
  bool reload_successful = true;
  std::uint64_t reload_unix_ns = 0;  ///< Of the last successful load.
  std::vector<ProgramStats> programs;
  SelfStats self;
};

}  // namespace sched_exporter
