#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/base/result.h"
#include "exporter/base/web_settings.h"
#include "exporter/http/authenticator.h"
#include "exporter/http/reply.h"
#include "exporter/http/tls_context.h"
#include "exporter/http/token_bucket.h"

namespace sched_exporter {

/// How the pages are served, by settings that may change while they are: each handshake and each
/// request takes those of its moment. For any thread.
class WebGuard {
 public:
  using Clock = TokenBucket::Clock;
  using Headers = HeaderList;

  /// No TLS, no users, no headers.
  WebGuard();

  /// Takes other settings as a whole, or fails with the reason alone and keeps the old ones.
  Result<void> Apply(const WebSettings& settings);

  /// Calls `look` before each handshake and each request; it may call Apply(). Set it before a
  /// server uses this.
  void LookFirst(std::function<void()> look) { look_ = std::move(look); }

  bool has_tls() const { return Now()->tls != nullptr; }

  /// Gives a handshake that begins its settings. False: there are none.
  bool BeginHandshake(SSL* ssl) const;

  /// The answer for a client that may not see the page now, nothing for the others.
  /// `authorization` is the field of that name, `client` the client's address.
  std::optional<HttpResponse> Refuse(std::string_view authorization, const std::string& client,
                                     Clock::time_point now);

  /// For every answer.
  std::shared_ptr<const Headers> headers() const;

 private:
  struct State {
    std::shared_ptr<const TlsContext> tls;
    std::map<std::string, std::string> users;
    Headers headers;
    std::optional<RequestRate> rate;
  };

  std::shared_ptr<const State> Now() const;
  void Look() const;
  std::optional<HttpResponse> RefuseUser(const State& state, std::string_view authorization,
                                         const std::string& client, Clock::time_point now);

  std::function<void()> look_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_;
  std::optional<TokenBucket> bucket_;  ///< With state_->rate.
  Authenticator authenticator_;
};

}  // namespace sched_exporter
