#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "exporter/http/token_bucket.h"

namespace sched_exporter {

/// Limits tries of passwords, for each client address and for all together. Memory is bounded: of
/// more than kMostClients addresses, one that has waited longest is forgotten; the limit for all
/// holds then. For any thread. The time is the caller's.
class AttemptLimiter {
 public:
  using Clock = TokenBucket::Clock;

  static constexpr std::size_t kMostClients = 1'024;
  /// A person who mistypes, or a scraper with an old password, isn't stopped at once.
  static constexpr double kClientBurst = 5;
  static constexpr std::chrono::seconds kClientInterval{2};
  /// Four bcrypts a second are a fifth of a CPU at cost 10.
  static constexpr double kGlobalBurst = 20;
  static constexpr std::chrono::milliseconds kGlobalInterval{250};

  /// Counts a try, or says how long the client has to wait for one.
  std::optional<Clock::duration> Begin(const std::string& client, Clock::time_point now);
  /// The try succeeded and doesn't count.
  void Forgive(const std::string& client);

  std::size_t clients() const;

 private:
  struct Client {
    TokenBucket tries{kClientInterval, kClientBurst};
    Clock::time_point last;
  };

  Client& Find(const std::string& client, Clock::time_point now);
  void MakeRoom(Clock::time_point now);

  mutable std::mutex mutex_;
  std::map<std::string, Client> clients_;
  TokenBucket all_{kGlobalInterval, kGlobalBurst};
};

}  // namespace sched_exporter
