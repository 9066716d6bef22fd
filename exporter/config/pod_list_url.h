#pragma once

#include <string_view>

namespace sched_exporter {

/// Whether `text` is http://HOST:PORT/PATH of printable ASCII without spaces, where HOST is a name,
/// an IPv4 address or an IPv6 address in brackets. No user, no fragment.
bool IsPodListUrl(std::string_view text);

}  // namespace sched_exporter
