#pragma once

#include <cstddef>
#include <string_view>

namespace sched_exporter {

/// Whether a server that has received `bytes`, with room for `largest`, has something to say to
/// them: a whole head of an HTTP request, one that is too large, or what can't become one.
bool IsWholeHead(std::string_view bytes, std::size_t largest);

/// The same of the first record of a TLS handshake (RFC 8446, 5.1): that it is there, is too large,
/// or is none.
bool IsWholeHello(std::string_view bytes, std::size_t largest);

}  // namespace sched_exporter
