#include "exporter/config/pod_list_url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace sched_exporter {
namespace {

bool HasOnly(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool IsHost(std::string_view host) {
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    return HasOnly(host.substr(1, host.size() - 2), "0123456789abcdefABCDEF:.");
  }
  return HasOnly(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
}

bool IsPort(std::string_view port) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  return error == std::errc() && end == port.data() + port.size() && number != 0;
}

bool IsPath(std::string_view path) {
  return std::all_of(path.begin(), path.end(),
                     [](char c) { return c > ' ' && c <= '~' && c != '#'; });
}

}  // namespace

bool IsPodListUrl(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::size_t kMostBytes = 2'048;
  if (!text.starts_with(kScheme) || text.size() > kMostBytes) {
    return false;
  }
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return false;
  }
  const std::string_view authority = text.substr(0, slash);
  const std::size_t colon = authority.rfind(':');
  return colon != std::string_view::npos && IsHost(authority.substr(0, colon)) &&
         IsPort(authority.substr(colon + 1)) && IsPath(text.substr(slash));
}

}  // namespace sched_exporter
