#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "exporter/config/config.h"
#include "exporter/live/live_ring.h"
#include "exporter/live/live_view.h"
#include "exporter/live/recent_events.h"
#include "exporter/model/exporter_stats.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// What the node does now, kept in memory for who asks over HTTP. The collector writes; View() and
/// Events() are for any thread.
class LiveBoard {
 public:
  using Clock = std::chrono::steady_clock;

  /// Nothing is kept before Configure().
  LiveBoard() = default;

  /// Keeps what the config asks for from now on and forgets the rest. Another length of the history
  /// begins it anew. `arguments`: command lines of events may be told. `mode`: always the same.
  void Configure(const LiveConfig& config, bool arguments, Mode mode);

  /// When the next step ends; never where no history is wanted.
  Clock::time_point next() const { return next_; }
  bool IsDue(Clock::time_point now) const { return now + early_ >= next_; }

  /// There is no report for the step that is due.
  void Skip(Clock::time_point now);

  /// Takes the report of a sweep that began at `boottime_ns`, with the details of its rows. Only
  /// where a step was due.
  void Take(const Report& report, std::uint64_t boottime_ns, Clock::time_point now);

  /// The node as of the newest step; null: live.top is off.
  std::shared_ptr<const LiveView> View() const;

  /// The last events; null: live.events is off.
  std::shared_ptr<RecentEvents> Events() const;

 private:
  void SetView(std::shared_ptr<const LiveView> view);

  LiveMoment MomentOf(std::uint64_t boottime_ns) const;

  Mode mode_ = Mode::kFull;
  LiveConfig config_{.top = false, .events = false};
  std::unique_ptr<LiveRing> ring_;
  Clock::duration step_{};
  Clock::duration early_{};  ///< A step may end so much early, with a sweep that is made anyway.
  Clock::time_point next_ = Clock::time_point::max();

  mutable std::mutex mutex_;
  std::shared_ptr<const LiveView> view_;  ///< Under mutex_, as the next.
  std::shared_ptr<RecentEvents> events_;
};

}  // namespace sched_exporter
