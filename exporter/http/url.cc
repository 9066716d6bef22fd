#include "exporter/http/url.h"

#include <netinet/in.h>

#include <algorithm>

#include "exporter/http/address.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kLongestUrl = 2'048;
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";

/// Whether "HOST:PORT" has its port; an IPv6 address has colons inside its brackets.
bool HasPort(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  return colon != authority.npos && authority.find(']', colon) == authority.npos;
}

}  // namespace

bool IsIpAddress(const std::string& host) { return IsIpv4(host) || IsIpv6(host); }

Result<Url> ParseUrl(const std::string& text) {
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || text.size() > kLongestUrl) {
    return Fail("a URL has at most " + std::to_string(kLongestUrl) +
                " ASCII characters and no spaces");
  }
  Url url;
  url.is_https = text.starts_with(kHttps);
  if (!url.is_https && !text.starts_with(kHttp)) {
    return Fail("expected http://ADDRESS[:PORT][/PATH] or https://ADDRESS[:PORT][/PATH]");
  }
  const std::size_t begin = url.is_https ? kHttps.size() : kHttp.size();
  if (text.find('#') != text.npos || text.find('@') != text.npos) {
    return Fail("neither a user name nor a fragment (#) may be in it");
  }
  const std::size_t end = std::min(text.find_first_of("/?", begin), text.size());
  url.authority = text.substr(begin, end - begin);
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) {
    url.target.insert(0, "/");
  }
  const auto address = ParseListenAddress(
      HasPort(url.authority) ? url.authority : url.authority + (url.is_https ? ":443" : ":80"));
  if (!address || address->port == 0) {
    return Fail("expected an address with a port from 1 to 65535 after " +
                std::string(url.is_https ? kHttps : kHttp));
  }
  url.name = address->host;
  url.host = address->host == "localhost" ? "127.0.0.1" : address->host;
  url.port = address->port;
  if (!IsIpAddress(url.host)) {
    return Fail("its host is no IP address; use one, or localhost");
  }
  return url;
}

}  // namespace sched_exporter
