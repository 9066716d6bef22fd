#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "exporter/http/token_bucket.h"

namespace sched_exporter {

/// Limits tries of passwords: of each user name at each client address, of each address, and of all
/// together, of whom those that have not failed lately have a share that the others can't use up.
/// Memory is bounded: of more than kMostClients of a kind, one that has waited longest is
/// forgotten; the limit for all holds then. For any thread. The time is the caller's.
class AttemptLimiter {
 public:
  using Clock = TokenBucket::Clock;

  static constexpr std::size_t kMostClients = 1'024;
  /// A person who mistypes, or a scraper with an old password, isn't stopped at once.
  static constexpr double kUserBurst = 5;
  static constexpr std::chrono::seconds kUserInterval{2};
  /// So that one address, with ever new names, isn't all of the clients.
  static constexpr double kAddressBurst = 15;
  static constexpr std::chrono::seconds kAddressInterval{1};
  /// Four bcrypts a second are a fifth of a CPU at cost 10. A quarter of them is kept.
  static constexpr double kGlobalBurst = 15;
  static constexpr std::chrono::milliseconds kGlobalInterval{333};
  static constexpr double kKeptBurst = 5;
  static constexpr std::chrono::milliseconds kKeptInterval{1'000};

  /// Counts a try, or says how long the client has to wait for one.
  std::optional<Clock::duration> Begin(const std::string& address, const std::string& user,
                                       Clock::time_point now);
  /// The try succeeded and doesn't count.
  void Forgive(const std::string& address, const std::string& user);

  /// Of the kind that has most of them.
  std::size_t clients() const;

 private:
  /// The tries of each client of one kind.
  class Book {
   public:
    Book(Clock::duration interval, double burst) : new_(interval, burst) {}

    TokenBucket& Find(const std::string& key, Clock::time_point now);
    void Forgive(const std::string& key);
    std::size_t size() const { return clients_.size(); }

   private:
    struct Client {
      TokenBucket tries;
      Clock::time_point last;
    };

    void MakeRoom(Clock::time_point now);

    const TokenBucket new_;
    std::map<std::string, Client> clients_;
  };

  std::optional<Clock::duration> TakeOfAll(bool is_fresh, Clock::time_point now);

  mutable std::mutex mutex_;
  Book users_{kUserInterval, kUserBurst};
  Book addresses_{kAddressInterval, kAddressBurst};
  TokenBucket all_{kGlobalInterval, kGlobalBurst};
  TokenBucket kept_{kKeptInterval, kKeptBurst};
};

}  // namespace sched_exporter
