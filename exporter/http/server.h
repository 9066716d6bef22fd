#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// What a handler is told of its request; valid while it runs. All of it is a client's word.
struct HttpRequest {
  std::string_view query;   ///< What stands behind "?" in the target, not decoded.
  std::string_view accept;  ///< The field Accept (RFC 9110, 12.5.1); empty where there is none.
};

/// Header fields: names and values.
using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// One answer of a handler. The body is sent as it is; the server adds lengths, gzip (when the
/// client accepts it and `compressible`) and security headers.
struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  bool compressible = false;
  bool by_accept = false;   ///< What it is depends on the request's Accept.
  HeaderList headers = {};  ///< More fields, beside those that the server adds.
};

/// How a page is asked for.
enum class HttpMethod {
  kGet,   ///< GET and HEAD.
  kPost,  ///< POST and PUT; their bodies are not read.
};

/// A page: an exact path ("/metrics") and what answers on it. Handlers run on several server
/// threads at once. A handler that throws answers 500 "internal error".
struct HttpRoute {
  std::string path;
  std::function<HttpResponse(const HttpRequest&)> handler;
  HttpMethod method = HttpMethod::kGet;
};

/// Takes one line about trouble inside the server, without a newline. Called on any server thread,
/// several at once, and never after the server is destroyed. Clients can provoke lines, so the
/// receiver should limit their rate.
using HttpLogger = std::function<void(std::string_view)>;

class WebGuard;

/// Where and how to serve.
struct HttpServing {
  std::vector<std::string> addresses;  ///< One at least: "host:port", ":port", "[::1]:port".
  HttpLogger logger = nullptr;
  std::shared_ptr<WebGuard> guard = nullptr;  ///< Who may see the pages; TLS. None: everybody.
};

/// Serves routes over HTTP/1.1 with civetweb. Every path without a route answers 404, every method
/// that a route doesn't have 405. Never throws, never reads the files of a client's wish, prints
/// nothing.
///
/// Bounds. 16 threads, each with one connection at a time, 12 of them for one address at the most.
/// A connection gets a thread when a whole request is there (with TLS: the first record of the
/// handshake); those that say nothing, or trickle, wait without one, 512 of them, for 4 s at the
/// most (2.6 s), and more make the oldest go. Requests are limited to 8 KB of head; 256 wait for a
/// thread, and more are answered 503. Whoever has a thread and does not go on keeps it for 8 s (6 s
/// where it does not read its answer, about 30 s where it reads slowly), but for half a second at
/// the most while others wait, and for less the more they are. So a scrape has its turn within half
/// a second, whatever other addresses do.
///
/// With TLS or without is decided at the start, by the guard's settings of that moment.
///
/// Process-wide effects: civetweb ignores SIGPIPE, which it does not need (MSG_NOSIGNAL). Its
/// threads inherit the signal mask of the caller of Start, which should have blocked its signals
/// before.
class HttpServer {
 public:
  /// Listens on all addresses. A name with several addresses means its first IPv4 address. ":port"
  /// includes IPv6 where civetweb and the host have it (Debian's civetweb does not). Fails with one
  /// line that names the address, the reason (in use, no permission, unknown host, malformed) and
  /// the way out.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServing& serving,
                                                   std::vector<HttpRoute> routes);

  /// The same for one address without a guard.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address,
                                                   std::vector<HttpRoute> routes,
                                                   HttpLogger logger = nullptr);

  /// Closes all connections, finished or not, and stops within milliseconds, but waits for handlers
  /// that run. Handlers and logger are not called any more afterwards.
  virtual ~HttpServer() = default;

  /// The ports that the server listens on (the kernel's choice where an address said 0), in the
  /// order of the addresses.
  virtual const std::vector<int>& ports() const = 0;
  int port() const { return ports().front(); }
};

/// True where an Accept-Encoding header allows gzip (RFC 9110, 12.5.3: "gzip;q=0" does not).
bool AcceptsGzip(std::string_view accept_encoding);

/// `text` as a gzip member (RFC 1952).
Result<std::string> Gzip(std::string_view text);

/// Text with &, <, >, " and ' made safe for HTML.
std::string EscapeHtml(std::string_view text);

}  // namespace sched_exporter
