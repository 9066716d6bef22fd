#include "exporter/http/authenticator.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace sched_exporter {
namespace {

/// Longer than any bcrypt that is worth waiting for, shorter than a scrape's patience, and short
/// enough to end with the program.
constexpr std::chrono::milliseconds kWait{500};

struct WipeCryptData {
  void operator()(crypt_data* data) const {
    OPENSSL_cleanse(data, sizeof *data);
    delete data;
  }
};

/// A user whose hash is checked in place of an unknown user's: always the same one for the same
/// name, so that hashes of different costs don't tell who exists either.
const std::string& StandIn(const Authenticator::Users& users, const std::string& name) {
  std::size_t sum = 0;
  for (const char c : name) {
    sum = sum * 31 + static_cast<unsigned char>(c);
  }
  return std::next(users.begin(), static_cast<std::ptrdiff_t>(sum % users.size()))->second;
}

std::chrono::seconds InSeconds(Authenticator::Clock::duration wait) {
  return std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(wait));
}

}  // namespace

bool HasBcryptHash(const std::string& password, const std::string& hash) {
  const std::unique_ptr<crypt_data, WipeCryptData> data(new crypt_data());
  const char* made = ::crypt_rn(password.c_str(), hash.c_str(), data.get(), sizeof *data);
  if (made == nullptr) {
    return false;
  }
  // crypt() ends at a zero byte and would take "right\0wrong" for "right".
  const bool is_whole = password.find('\0') == password.npos;
  const std::string result(made);
  return result.size() == hash.size() &&
         CRYPTO_memcmp(result.data(), hash.data(), hash.size()) == 0 && is_whole;
}

GoodCredentials::GoodCredentials() { RAND_bytes(key_.data(), static_cast<int>(key_.size())); }

GoodCredentials::Digest GoodCredentials::DigestOf(const BasicCredentials& credentials,
                                                  const std::string& hash) const {
  // With the length of each, so that no bytes can move from one to the next.
  std::string text;
  for (const std::string& part : {credentials.user, hash, credentials.password}) {
    text += std::to_string(part.size()) + ":" + part;
  }
  Digest digest{};
  unsigned size = digest.size();
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  OPENSSL_cleanse(text.data(), text.size());
  return digest;
}

bool GoodCredentials::Has(const BasicCredentials& credentials, const std::string& hash) const {
  const Digest digest = DigestOf(credentials, hash);
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::find(digests_.begin(), digests_.end(), digest) != digests_.end();
}

void GoodCredentials::Add(const BasicCredentials& credentials, const std::string& hash) {
  const Digest digest = DigestOf(credentials, hash);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::find(digests_.begin(), digests_.end(), digest) != digests_.end()) {
    return;
  }
  if (digests_.size() == kMost) {
    digests_.pop_front();
  }
  digests_.push_back(digest);
}

std::size_t GoodCredentials::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return digests_.size();
}

/// Whether the caller may make a bcrypt; it then makes a Turn.
bool Authenticator::TakeTurn() {
  std::unique_lock<std::mutex> lock(turn_mutex_);
  if (is_taken_ && waiting_ < kMostWaiting) {
    ++waiting_;
    turn_.wait_for(lock, kWait, [this] { return !is_taken_; });
    --waiting_;
  }
  return !std::exchange(is_taken_, true);
}

void Authenticator::EndTurn() {
  {
    const std::lock_guard<std::mutex> lock(turn_mutex_);
    is_taken_ = false;
  }
  turn_.notify_one();
}

bool Authenticator::IsRight(const Users& users, const BasicCredentials& credentials) {
  const auto user = users.find(credentials.user);
  const bool is_known = user != users.end();
  const std::string& hash = is_known ? user->second : StandIn(users, credentials.user);
  return hasher_(credentials.password, hash) && is_known;
}

Authenticator::Verdict Authenticator::Check(const Users& users, const BasicCredentials& credentials,
                                            const std::string& client, Clock::time_point now) {
  const auto user = users.find(credentials.user);
  // Also for an unknown user, so that this takes the same time.
  const std::string& hash = user == users.end() ? StandIn(users, credentials.user) : user->second;
  if (good_.Has(credentials, hash) && user != users.end()) {
    return {true};
  }
  if (const auto wait = limiter_.Begin(client, credentials.user, now)) {
    return {false, InSeconds(*wait)};
  }
  if (!TakeTurn()) {
    limiter_.Forgive(client, credentials.user);
    return {false, std::chrono::seconds(1)};
  }
  const Turn turn(*this);
  // Known since, where several requests came with it at once.
  const bool is_known = good_.Has(credentials, hash) && user != users.end();
  if (!is_known && !IsRight(users, credentials)) {
    return {};
  }
  limiter_.Forgive(client, credentials.user);
  good_.Add(credentials, hash);
  return {true};
}

}  // namespace sched_exporter
