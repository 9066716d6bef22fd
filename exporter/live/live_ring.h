#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "exporter/live/distribution_book.h"
#include "exporter/live/live_view.h"
#include "exporter/live/member_book.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// When a report was made, and where.
struct LiveMoment {
  std::uint64_t boottime_ns = 0;   ///< CLOCK_BOOTTIME of its sweep.
  std::uint64_t boot_unix_ns = 0;  ///< CLOCK_REALTIME less CLOCK_BOOTTIME.
  std::uint32_t cpus = 0;          ///< Online.
  std::string host_name;           ///< Any bytes.
  bool has_waits = true;           ///< The report tells how long tasks waited.
};

/// The last minutes in memory: from each report, what every member added since the one before.
/// Takes totals only, so that reports may be made for others in between. One thread at a time; the
/// views that it gives away are for any thread.
///
/// Memory has bounds: kPoints steps with kMostTracked members of each view, kMostRows rows of each
/// view (those of two steps while one takes the other's place), and the totals of each member that
/// the report has, whose number the config limits. Of distributions there are those of the newest
/// step and the totals, both of cgroups alone.
class LiveRing {
 public:
  static constexpr std::size_t kPoints = 60;
  /// So many of a view have their history kept for one of CPU, wait and starts.
  static constexpr std::size_t kTop = 50;
  static constexpr std::size_t kMostTracked = 3 * kTop;
  static constexpr std::size_t kMostRows = 10'000;

  explicit LiveRing(std::uint64_t step_ns) : step_ns_(step_ns) {}

  /// A view of a host of which nothing is known yet.
  std::shared_ptr<const LiveView> Empty(const LiveMoment& moment) const;

  /// There was a report.
  bool has_begun() const { return last_ns_ != 0; }

  /// Takes the next report, with the details of its rows. The first one is where counting begins.
  std::shared_ptr<const LiveView> Take(const Report& report, const LiveMoment& moment);

 private:
  struct Step;

  std::shared_ptr<LiveView> MakeView(const LiveMoment& moment) const;
  LiveTable MakeTable(LiveViewKind view, Step& step);
  MemberBook& book(LiveViewKind view) { return books_[static_cast<std::size_t>(view)]; }
  void TakeMembers(const Report& report, Step& step);
  void TakeCgroups(const Report& report, Step& step);
  void TakeOthers(const Report& report, Step& step);
  void TakeHost(const Report& report, Step& step);
  static void TakeLatency(Step& step);

  std::uint64_t step_ns_;
  std::uint64_t last_ns_ = 0;  ///< CLOCK_BOOTTIME of the last report; 0: there was none.
  std::array<MemberBook, kLiveViews> books_{MemberBook(kMostTracked), MemberBook(kMostTracked),
                                            MemberBook(kMostTracked)};
  std::array<Counted, kLiveViews> others_{};
  DistributionBook distributions_;
  Distributions other_distributions_;  ///< Of cgroups.
  std::uint64_t busy_ns_ = 0;
  std::uint64_t unattributed_ns_ = 0;
  std::deque<std::shared_ptr<const LivePoint>> points_;
};

}  // namespace sched_exporter
