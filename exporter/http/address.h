#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Where a server shall listen, as the user wrote it.
struct ListenAddress {
  std::string host;  ///< A name, an IPv4 address or an IPv6 address without brackets; empty = all.
  std::uint16_t port = 0;  ///< 0 lets the kernel choose.
};

/// Whether `text` is an address of this kind, without brackets (inet_pton(3)).
bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);

/// Reads "host:port", "192.0.2.1:port", "[2001:db8::1]:port" or ":port". Strict: a host has
/// letters, digits, '-', '_' and '.' only, a port one to five digits, so nothing of the list syntax
/// of civetweb ("80,443s") gets through. Fails with one line that quotes the text and says what is
/// expected. Pure; does not resolve names.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace sched_exporter
