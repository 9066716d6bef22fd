#include "exporter/app/live_board.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "exporter/base/clock.h"

namespace sched_exporter {
namespace {

/// The first step is short, so that who looks at once sees something.
constexpr std::chrono::seconds kFirstStep{1};

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

LiveMoment LiveBoard::MomentOf(std::uint64_t boottime_ns) const {
  return {boottime_ns, BootUnixNs(),
          static_cast<std::uint32_t>(std::max(::sysconf(_SC_NPROCESSORS_ONLN), 1L)), HostName(),
          mode_ == Mode::kFull};
}

void LiveBoard::Configure(const LiveConfig& config, bool arguments, Mode mode) {
  mode_ = mode;
  const bool begins = config.top && (!config_.top || config.history != config_.history);
  config_ = config;
  if (begins) {
    step_ = config.history / LiveRing::kPoints;
    early_ = step_ / 10;
    ring_ = std::make_unique<LiveRing>(
        static_cast<std::uint64_t>(std::chrono::nanoseconds(step_).count()));
    next_ = Clock::now();
    SetView(ring_->Empty(MomentOf(0)));
  } else if (!config.top) {
    ring_.reset();
    next_ = Clock::time_point::max();
    early_ = {};
    SetView(nullptr);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!config.events) {
    events_.reset();
  } else if (events_ == nullptr) {
    events_ = std::make_shared<RecentEvents>(arguments);
  }
}

void LiveBoard::Skip(Clock::time_point now) {
  if (ring_ != nullptr) {
    next_ = now + step_;
  }
}

void LiveBoard::Take(const Report& report, std::uint64_t boottime_ns, Clock::time_point now) {
  next_ = now + (ring_->has_begun() ? step_ : std::min<Clock::duration>(step_, kFirstStep));
  SetView(ring_->Take(report, MomentOf(boottime_ns)));
}

void LiveBoard::SetView(std::shared_ptr<const LiveView> view) {
  // What it takes the place of is destroyed after the lock is gone.
  const std::lock_guard<std::mutex> lock(mutex_);
  view_.swap(view);
}

std::shared_ptr<const LiveView> LiveBoard::View() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return view_;
}

std::shared_ptr<RecentEvents> LiveBoard::Events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_;
}

}  // namespace sched_exporter
