#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/live/latency.h"
#include "exporter/live/live_distributions.h"

namespace sched_exporter {

inline constexpr double kSecondNs = 1e9;

/// How fast somebody counted in one step.
struct LiveRates {
  float cpu = 0;       ///< CPU seconds a second: CPUs in use.
  float wait = 0;      ///< Seconds on run queues, a second.
  float starts = 0;    ///< Execs that succeeded and forks, a second; 0 for processes.
  float switches = 0;  ///< Context switches a second.

  bool operator==(const LiveRates&) const = default;
};

/// What only processes have.
struct LiveProcess {
  std::uint32_t pid = 0;
  std::uint64_t start_ns = 0;  ///< CLOCK_BOOTTIME.
  std::string group;
  std::string cgroup;
  std::string exe;  ///< Empty where there is none or it can't be read.
  std::string user;
};

/// A member of a view in the newest step. All texts are printable.
struct LiveRow {
  std::string name;  ///< Of a process its comm.
  std::map<std::string, std::string> labels;
  LiveRates rates;
  std::uint32_t threads = 0;
  std::uint32_t processes = 0;
  std::uint64_t cpu_ns = 0;                      ///< Since counting began.
  std::uint32_t track = 0;                       ///< See LivePoint; 0: no history is kept.
  std::unique_ptr<const LiveProcess> process{};  ///< Of a process alone.
  /// Of a cgroup in which timeslices ended in the step.
  std::shared_ptr<const LiveDistributions> distributions{};
};

/// What has no series of its own in a view, together.
struct LiveOther {
  std::uint64_t folded = 0;
  LiveRates rates;
  std::uint32_t threads = 0;
  std::uint32_t processes = 0;
};

/// A view in the newest step.
struct LiveTable {
  std::vector<LiveRow> rows;       ///< At most LiveRing::kMostRows.
  std::size_t total = 0;           ///< Members with rates, also those without a row.
  std::optional<LiveOther> other;  ///< None: nothing was ever folded.
};

/// What the views are called here; an index.
enum class LiveViewKind { kProcess, kGroup, kCgroup };
inline constexpr std::size_t kLiveViews = 3;

/// The whole host in one step.
struct LiveHost {
  LiveRates rates;
  float unattributed = 0;  ///< CPUs whose time has no owner.
};

/// One step of the history. Nothing of it changes once it is made.
struct LivePoint {
  /// A member's rates, by the number that its row has, too.
  struct Tracked {
    std::uint32_t track = 0;
    float cpu = 0;
    float wait = 0;
    float starts = 0;
  };
  std::uint64_t boottime_ns = 0;  ///< CLOCK_BOOTTIME at its end.
  LiveHost host;
  LatencyColumn latency{};
  /// Every timeslice counts in `latency` by its own wait; else by the mean of its process.
  bool is_latency_exact = false;
  std::array<std::vector<Tracked>, kLiveViews> tracked;  ///< By view; ascending by track.
};

/// The node as of the newest step, and its history. Shared by threads; nothing of it changes.
struct LiveView {
  std::string host_name;
  std::uint64_t boot_unix_ns = 0;  ///< CLOCK_REALTIME less CLOCK_BOOTTIME.
  std::uint64_t step_ns = 0;       ///< As the config has it.
  std::uint64_t window_ns = 0;     ///< How long the newest step really was; 0: there is none yet.
  std::uint32_t cpus = 0;
  bool has_waits = true;  ///< False: waits are unknown, rates of 0 and latencies mean nothing.
  std::uint64_t tasks = 0;
  std::vector<std::shared_ptr<const LivePoint>> points;  ///< Oldest first.
  std::array<LiveTable, kLiveViews> tables;

  const LiveTable& table(LiveViewKind view) const { return tables[static_cast<std::size_t>(view)]; }
};

}  // namespace sched_exporter
