#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/live/live_view.h"

namespace sched_exporter {

/// What the rows of a table are ordered by; the largest comes first, of names the first.
enum class TopSort {
  kCpu,
  kWait,
  kStarts,
  kSwitches,
  kThreads,
  kLatency,  ///< Of cgroups: the 99th percentile of waits before a timeslice.
  kName,
};

/// What somebody wants to see of the node.
struct TopQuery {
  LiveViewKind view = LiveViewKind::kGroup;
  TopSort sort = TopSort::kCpu;
  std::size_t count = 20;  ///< Rows at most; 1 to kMostTopRows.
  std::string group;       ///< Of processes, only those of this group; empty: all.
  bool history = true;
};
inline constexpr std::size_t kMostTopRows = 100;

/// Reads what stands behind "?" in a request. Fails with a line that names what would be right; the
/// client's own words are in it as printable text.
Result<TopQuery> ParseTopQuery(std::string_view query);

/// How many events somebody wants to see.
inline constexpr std::size_t kMostEvents = 500;
Result<std::size_t> ParseEventsQuery(std::string_view query);

}  // namespace sched_exporter
