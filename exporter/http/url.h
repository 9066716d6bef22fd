#pragma once

#include <cstdint>
#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// The parts of "http[s]://HOST[:PORT][/PATH]".
struct Url {
  bool is_https = false;
  std::string name;  ///< The host as it is written: what a certificate should say.
  std::string host;  ///< An IPv4 address, or an IPv6 address without brackets.
  std::uint16_t port = 80;
  std::string authority;  ///< For the header Host.
  std::string target;     ///< Path and query; at least "/".
};

/// Reads a URL; see HttpGet. Fails with the reason alone, without the URL.
Result<Url> ParseUrl(const std::string& text);

/// Whether a host is written as an IPv4 or IPv6 address, without brackets.
bool IsIpAddress(const std::string& host);

}  // namespace sched_exporter
