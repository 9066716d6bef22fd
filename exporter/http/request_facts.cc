#include "exporter/http/request_facts.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace sched_exporter {
namespace {

// A connection of this age closes after its answer, or cheap requests would keep its thread for
// good. With twice the keep-alive timeout it makes 8 s.
constexpr auto kKeepAliveAge = std::chrono::seconds(4);

std::vector<std::string_view> ValuesOf(const mg_request_info& request, const char* name) {
  std::vector<std::string_view> values;
  for (int i = 0; i < request.num_headers; ++i) {
    if (mg_strcasecmp(request.http_headers[i].name, name) == 0) {
      values.emplace_back(request.http_headers[i].value);
    }
  }
  return values;
}

bool IsNumber(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;  // of 64 bits
  return !text.empty() && text.size() <= kMostDigits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view HeaderOf(const mg_connection* connection, const char* name) {
  const char* value = mg_get_header(connection, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// RFC 9112, 6.3: what it calls an error, civetweb takes for the first of several lengths, or reads
// as far as there are digits.
RequestBody BodyOf(const mg_request_info& request) {
  const auto lengths = ValuesOf(request, "Content-Length");
  const auto encodings = ValuesOf(request, "Transfer-Encoding");
  if (lengths.size() + encodings.size() > 1) return RequestBody::kUnclear;
  if (!lengths.empty() && !IsNumber(lengths.front())) return RequestBody::kUnclear;
  return lengths.empty() && encodings.empty() ? RequestBody::kNone : RequestBody::kSome;
}

bool MayKeepAlive(const mg_request_info& request, std::chrono::steady_clock::duration age) {
  if (BodyOf(request) != RequestBody::kNone || age > kKeepAliveAge) return false;
  const auto wishes = ValuesOf(request, "Connection");
  if (!wishes.empty()) return mg_strcasecmp(wishes.front().data(), "keep-alive") == 0;
  return std::strcmp(request.http_version, "1.1") == 0;
}

}  // namespace sched_exporter
