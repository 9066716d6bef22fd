#include "exporter/http/attempt_limiter.h"

#include <algorithm>
#include <functional>

namespace sched_exporter {
namespace {

/// Of one size, however long the name is.
std::string KeyOf(const std::string& address, const std::string& user) {
  return address + "/" + std::to_string(std::hash<std::string>()(user));
}

}  // namespace

void AttemptLimiter::Book::MakeRoom(Clock::time_point now) {
  std::erase_if(clients_, [now](const auto& entry) { return entry.second.tries.IsFull(now); });
  if (clients_.size() < kMostClients) {
    return;
  }
  clients_.erase(
      std::min_element(clients_.begin(), clients_.end(),
                       [](const auto& a, const auto& b) { return a.second.last < b.second.last; }));
}

TokenBucket& AttemptLimiter::Book::Find(const std::string& key, Clock::time_point now) {
  if (clients_.size() >= kMostClients && clients_.count(key) == 0) {
    MakeRoom(now);
  }
  Client& found = clients_.try_emplace(key, Client{new_, now}).first->second;
  found.last = now;
  return found.tries;
}

void AttemptLimiter::Book::Forgive(const std::string& key) {
  const auto found = clients_.find(key);
  if (found != clients_.end()) {
    found->second.tries.PutBack();
  }
}

std::optional<AttemptLimiter::Clock::duration> AttemptLimiter::TakeOfAll(bool is_fresh,
                                                                         Clock::time_point now) {
  const auto wait = all_.Take(now);
  return wait && is_fresh ? kept_.Take(now) : wait;
}

std::optional<AttemptLimiter::Clock::duration> AttemptLimiter::Begin(const std::string& address,
                                                                     const std::string& user,
                                                                     Clock::time_point now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TokenBucket& of_user = users_.Find(KeyOf(address, user), now);
  TokenBucket& of_address = addresses_.Find(address, now);
  const bool is_fresh = of_user.IsFull(now);
  if (const auto wait = of_user.Take(now)) {
    return wait;
  }
  if (const auto wait = of_address.Take(now)) {
    of_user.PutBack();  // it was not tried
    return wait;
  }
  const auto wait = TakeOfAll(is_fresh, now);
  if (wait) {
    of_user.PutBack();
    of_address.PutBack();
  }
  return wait;
}

void AttemptLimiter::Forgive(const std::string& address, const std::string& user) {
  const std::lock_guard<std::mutex> lock(mutex_);
  all_.PutBack();
  addresses_.Forgive(address);
  users_.Forgive(KeyOf(address, user));
}

std::size_t AttemptLimiter::clients() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::max(users_.size(), addresses_.size());
}

}  // namespace sched_exporter
