#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// One answer of a handler. The body is sent as it is; the server adds lengths, gzip (when the
/// client accepts it and `compressible`) and security headers.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool compressible = false;
};

/// A page: an exact path ("/metrics") and what answers GET and HEAD on it. Handlers run on several
/// server threads at once.
struct HttpRoute {
  std::string path;
  std::function<HttpResponse()> handler;
};

/// Serves routes over HTTP/1.1 with civetweb. Every path without a route answers 404, every method
/// but GET and HEAD 405. Never throws, never reads files. Stops in its destructor.
class HttpServer {
 public:
  /// Listens on `address`: "host:port", ":port" (all addresses), "[::1]:port". Fails with one line
  /// that names the address and the reason (in use, no permission, malformed).
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   std::vector<HttpRoute> routes);

  virtual ~HttpServer() = default;

  /// The port that the server listens on (the kernel's choice where the address said 0).
  virtual int port() const = 0;
};

/// True where an Accept-Encoding header allows gzip (RFC 9110, 12.5.3: "gzip;q=0" does not).
bool AcceptsGzip(std::string_view accept_encoding);

/// `text` as a gzip member (RFC 1952).
Result<std::string> Gzip(std::string_view text);

/// Text with &, <, >, " and ' made safe for HTML.
std::string EscapeHtml(std::string_view text);

}  // namespace sched_exporter
