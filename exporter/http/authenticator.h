#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "exporter/http/attempt_limiter.h"
#include "exporter/http/basic_credentials.h"

namespace sched_exporter {

/// Whether `password` has the bcrypt hash `hash`. Takes as long as the hash's cost wants,
/// whatever the answer. libxcrypt's.
bool HasBcryptHash(const std::string& password, const std::string& hash);

/// Remembers, for a bounded number of credentials, that they were right. Keeps keyed digests of
/// them only, so that memory tells no passwords. For any thread.
class GoodCredentials {
 public:
  static constexpr std::size_t kMost = 128;

  GoodCredentials();

  bool Has(const BasicCredentials& credentials, const std::string& hash) const;
  /// The oldest one makes room.
  void Add(const BasicCredentials& credentials, const std::string& hash);
  std::size_t size() const;

 private:
  using Digest = std::array<unsigned char, 32>;

  Digest DigestOf(const BasicCredentials& credentials, const std::string& hash) const;

  Digest key_{};
  mutable std::mutex mutex_;
  std::deque<Digest> digests_;
};

/// Checks passwords.
///
/// Who gave the right one once is known from then on and costs no bcrypt. An unknown user costs as
/// much as a wrong password. Tries are limited (AttemptLimiter), one bcrypt runs at a time, a few
/// more wait for it, so that neither threads nor CPUs can be taken by them. For any thread.
class Authenticator {
 public:
  using Clock = AttemptLimiter::Clock;
  using Users = std::map<std::string, std::string>;  ///< Bcrypt hashes by name.
  using Hasher = std::function<bool(const std::string& password, const std::string& hash)>;

  /// Most requests that wait for a bcrypt, beside the one whose bcrypt runs.
  static constexpr int kMostWaiting = 3;

  struct Verdict {
    bool is_good = false;
    /// More than zero: nothing was checked; come again then.
    std::chrono::seconds wait{0};
  };

  explicit Authenticator(Hasher hasher = &HasBcryptHash) : hasher_(std::move(hasher)) {}

  /// `users` has one user at least. `client` is the client's address.
  Verdict Check(const Users& users, const BasicCredentials& credentials, const std::string& client,
                Clock::time_point now);

 private:
  /// Ends the turn that was taken.
  class Turn {
   public:
    explicit Turn(Authenticator& owner) : owner_(owner) {}
    ~Turn() { owner_.EndTurn(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Authenticator& owner_;
  };

  bool TakeTurn();
  void EndTurn();
  bool IsRight(const Users& users, const BasicCredentials& credentials);

  Hasher hasher_;
  GoodCredentials good_;
  AttemptLimiter limiter_;
  // One bcrypt at a time. No std::timed_mutex: TSan of GCC 12 does not know how it is taken.
  std::mutex turn_mutex_;
  std::condition_variable turn_;
  bool is_taken_ = false;
  int waiting_ = 0;
};

}  // namespace sched_exporter
