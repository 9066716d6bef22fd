#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Whom a client trusts, and who it is.
struct HttpClientOptions {
  std::string ca_file = {};  ///< CAs of the server in PEM; empty: those of the host.
  /// A server is who it says if its own certificate is this one (PEM), whatever its names.
  std::string pinned_certificate_pem = {};
  bool insecure = false;  ///< Any certificate will do.
  std::string user = {};  ///< Empty: no credentials are sent.
  std::string password = {};
};

/// The body of the answer to a GET request for `url`, "http[s]://HOST[:PORT][/PATH]", where HOST is
/// an IP address or "localhost" (127.0.0.1): to look up a name may take any time. TLS 1.2 or 1.3.
/// No redirects, no proxy of the environment.
///
/// Returns within `timeout`, whatever the server does, and takes at most `most_bytes` of a body and
/// 16 KiB of headers. Anything but the status 200 is a failure, as is an answer that is cut off.
/// Failures are one line with the URL; no text of the server is in it.
///
/// civetweb's client (1.15) is not used: it waits 10 s for a connection and 60 s for each read of
/// a body, and mg_read() comes back from a server that trickles only when its buffer is full. Both
/// are constants of it.
Result<std::string> HttpGet(const std::string& url, std::chrono::milliseconds timeout,
                            std::size_t most_bytes, const HttpClientOptions& options = {});

}  // namespace sched_exporter
