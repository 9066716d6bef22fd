#include "exporter/http/token_bucket.h"

#include <algorithm>

namespace sched_exporter {

double TokenBucket::TokensAt(Clock::time_point now) const {
  // Another thread may have taken its time earlier and come later.
  const std::chrono::duration<double> passed =
      std::max(now - filled_.value_or(now), Clock::duration::zero());
  const std::chrono::duration<double> interval = interval_;
  return interval.count() > 0 ? std::min(burst_, tokens_ + passed / interval) : burst_;
}

void TokenBucket::Refill(Clock::time_point now) {
  tokens_ = TokensAt(now);
  filled_ = std::max(now, filled_.value_or(now));
}

std::optional<TokenBucket::Clock::duration> TokenBucket::Take(Clock::time_point now) {
  Refill(now);
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return std::nullopt;
  }
  return std::chrono::duration_cast<Clock::duration>(interval_ * (1 - tokens_));
}

void TokenBucket::PutBack() { tokens_ = std::min(burst_, tokens_ + 1); }

bool TokenBucket::IsFull(Clock::time_point now) const { return TokensAt(now) >= burst_; }

}  // namespace sched_exporter
