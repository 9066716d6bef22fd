#include "exporter/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace sched_exporter {
namespace {

constexpr std::size_t kLongestHostName = 253;  // RFC 1035, 2.3.4, without the final dot
constexpr std::string_view kHostNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || text.empty() || text.size() > 5) return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc()) return std::nullopt;
  return port;
}

// "1.2.3" and "999.1.1.1" are refused: getaddrinfo would read some of them as short addresses.
bool IsHostName(std::string_view text) {
  if (text.empty() || text.size() > kLongestHostName || text.front() == '-' ||
      text.front() == '.' || text.find_first_not_of(kHostNameCharacters) != text.npos) {
    return false;
  }
  const std::string_view last = text.substr(text.find_last_of('.') + 1);
  return last.find_first_not_of("0123456789") != last.npos && !last.starts_with("0x");
}

}  // namespace

bool IsIpv6(std::string_view text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

bool IsIpv4(std::string_view text) {
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto fail = [text](std::string_view reason) {
    std::string shown;
    for (const char c : text.substr(0, 100)) shown += c >= ' ' && c <= '~' ? c : '?';
    return Fail("invalid listen address \"" + shown + "\": " + std::string(reason));
  };
  // C functions would stop at a zero byte and see less than we do.
  if (text.find('\0') != text.npos) return fail("it contains a zero byte");
  if (text.starts_with("unix:") || text.starts_with('/') || text.starts_with("vsock:")) {
    return fail("the civetweb library serves TCP only; expected host:port or :port");
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail("expected host:port, [ipv6]:port or :port");
  const auto port = ParsePort(text.substr(colon + 1));
  if (!port) return fail("the port must be a number from 0 to 65535");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return fail("there is no IPv6 address between the brackets");
  } else if (host.find(':') != host.npos) {
    return fail("an IPv6 address needs brackets, as in [::1]:10140");
  } else if (!host.empty() && !IsIpv4(host) && !IsHostName(host)) {
    return fail("the host is neither an IP address nor a name");
  }
  return ListenAddress{std::string(host), *port};
}

}  // namespace sched_exporter
