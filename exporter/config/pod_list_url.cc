#include "exporter/config/pod_list_url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

namespace sched_exporter {
namespace {

/// Names of other hosts are not looked up: nobody can tell how long that takes.
bool IsHost(std::string_view host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  if (host.size() > 2 && host.starts_with('[') && host.ends_with(']')) {
    const std::string inside(host.substr(1, host.size() - 2));
    return inet_pton(AF_INET6, inside.c_str(), address.data()) == 1;
  }
  return host == "localhost" || inet_pton(AF_INET, std::string(host).c_str(), address.data()) == 1;
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
