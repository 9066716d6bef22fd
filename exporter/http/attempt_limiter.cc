#include "exporter/http/attempt_limiter.h"

#include <algorithm>

namespace sched_exporter {

void AttemptLimiter::MakeRoom(Clock::time_point now) {
  std::erase_if(clients_, [now](const auto& entry) { return entry.second.tries.IsFull(now); });
  if (clients_.size() < kMostClients) {
    return;
  }
  clients_.erase(
      std::min_element(clients_.begin(), clients_.end(),
                       [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

AttemptLimiter::Client& AttemptLimiter::Find(const std::string& client, Clock::time_point now) {
  if (clients_.size() >= kMostClients && clients_.count(client) == 0) {
    MakeRoom(now);
  }
  Client& found = clients_[client];
  found.last = now;
  return found;
}

std::optional<AttemptLimiter::Clock::duration> AttemptLimiter::Begin(const std::string& client,
                                                                     Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Client& found = Find(client, now);
  if (const auto wait = found.tries.Take(now)) {
    return wait;
  }
  const auto wait = all_.Take(now);
  if (wait) {
    found.tries.PutBack();  // it was not tried
  }
  return wait;
}

void AttemptLimiter::Forgive(const std::string& client) {
  const std::lock_guard<std::mutex> lock(mutex_);
  all_.PutBack();
  const auto found = clients_.find(client);
  if (found != clients_.end()) {
    found->second.tries.PutBack();
  }
}

std::size_t AttemptLimiter::clients() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return clients_.size();
}

}  // namespace sched_exporter
