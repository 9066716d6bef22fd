#pragma once

#include <chrono>
#include <optional>

namespace sched_exporter {

/// Limits how often something happens: `burst` times at once, then once each `interval`. Not for
/// several threads at once. The time is the caller's.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(Clock::duration interval, double burst)
      : interval_(interval), burst_(burst), tokens_(burst) {}

  /// Takes one, or says how long it takes until there is one.
  std::optional<Clock::duration> Take(Clock::time_point now);
  /// One that was taken was not needed.
  void PutBack();
  /// As full as at the beginning.
  bool IsFull(Clock::time_point now) const;

 private:
  double TokensAt(Clock::time_point now) const;
  void Refill(Clock::time_point now);

  Clock::duration interval_;
  double burst_;
  double tokens_;
  std::optional<Clock::time_point> filled_;
};

}  // namespace sched_exporter
