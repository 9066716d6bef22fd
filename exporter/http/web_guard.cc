#include "exporter/http/web_guard.h"

#include <utility>

namespace sched_exporter {
namespace {

constexpr int kUnauthorized = 401;
constexpr int kTooManyRequests = 429;

HttpResponse Later(std::string_view text, std::chrono::seconds wait) {
  HttpResponse response = TextReply(kTooManyRequests, text);
  response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return response;
}

bool SameRate(const std::optional<RequestRate>& a, const std::optional<RequestRate>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->interval == b->interval && a->burst == b->burst));
}

}  // namespace

WebGuard::WebGuard() : state_(std::make_shared<State>()) {}

Result<void> WebGuard::Apply(const WebSettings& settings) {
  auto state = std::make_shared<State>();
  if (settings.tls) {
    auto tls = TlsContext::Make(*settings.tls);
    if (!tls) {
      return tl::unexpected(tls.error());
    }
    state->tls = std::move(*tls);
  }
  state->users = settings.users;
  state->headers = settings.headers;
  state->rate = settings.rate;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!SameRate(state->rate, state_->rate)) {
    bucket_.reset();
    if (state->rate) {
      bucket_.emplace(state->rate->interval, state->rate->burst);
    }
  }
  state_ = std::move(state);
  return {};
}

std::shared_ptr<const WebGuard::State> WebGuard::Now() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_;
}

void WebGuard::Look() const {
  if (look_) {
    look_();
  }
}

bool WebGuard::BeginHandshake(SSL* ssl) const {
  Look();
  const auto state = Now();
  return state->tls != nullptr && state->tls->ApplyTo(ssl);
}

std::shared_ptr<const WebGuard::Headers> WebGuard::headers() const {
  const auto state = Now();
  return {state, &state->headers};
}

std::optional<HttpResponse> WebGuard::RefuseUser(const State& state, std::string_view authorization,
                                                 const std::string& client, Clock::time_point now) {
  Authenticator::Verdict verdict;
  if (const auto credentials = ParseBasicAuthorization(authorization)) {
    verdict = authenticator_.Check(state.users, *credentials, client, now);
  }
  if (verdict.is_good) {
    return std::nullopt;
  }
  if (verdict.wait.count() > 0) {
    return Later("too many tries of passwords", verdict.wait);
  }
  HttpResponse response = TextReply(kUnauthorized, "Unauthorized");
  response.headers.emplace_back("WWW-Authenticate", "Basic");
  return response;
}

std::optional<HttpResponse> WebGuard::Refuse(std::string_view authorization,
                                             const std::string& client, Clock::time_point now) {
  Look();
  const auto state = Now();
  if (!state->users.empty()) {
    if (auto refusal = RefuseUser(*state, authorization, client, now)) {
      return refusal;
    }
  }
  // After the password: clients without one can't use up what those with one may have.
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto wait = bucket_ ? bucket_->Take(now) : std::nullopt;
  return wait ? std::optional(Later("too many requests; see rate_limit",
                                    std::chrono::ceil<std::chrono::seconds>(*wait)))
              : std::nullopt;
}

}  // namespace sched_exporter
