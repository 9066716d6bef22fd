#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter::test_support {

/// One HTTP/1.1 answer. Header names are in lower case; the body is as it was sent, without the
/// chunked framing, but still compressed where `content-encoding` says so (see Gunzip).
struct HttpReply {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
};

using HeaderMap = std::map<std::string, std::string>;

/// The time that a test waits before it calls an exchange failed.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds(10);

/// One TCP connection to a server under test. Every wait ends at `timeout`, counted for each call.
/// Not for several threads at once.
class HttpConnection {
 public:
  /// Connects to `host`, a numeric IPv4 or IPv6 address.
  static Result<HttpConnection> Open(int port, const std::string& host = "127.0.0.1",
                                     std::chrono::milliseconds timeout = kPatience);

  /// Sends the bytes as they are, so that tests can send what is no HTTP at all.
  Result<void> Send(std::string_view bytes);

  /// Reads one answer and leaves what follows it for the next call. `has_body` is false for the
  /// answer to a HEAD request, whose Content-Length counts bytes that never come.
  Result<HttpReply> ReadReply(bool has_body = true);

  /// All that comes until the server closes the connection.
  Result<std::string> ReadToEnd();

  int fd() const { return fd_.get(); }

 private:
  using Clock = std::chrono::steady_clock;

  HttpConnection(UniqueFd fd, std::chrono::milliseconds timeout)
      : fd_(std::move(fd)), timeout_(timeout) {}

  // Adds bytes to buffer_; false means that the server closed the connection.
  Result<bool> Fill(Clock::time_point deadline);
  Result<std::string> TakeThrough(std::string_view end, Clock::time_point deadline);
  Result<std::string> TakeBytes(std::size_t count, Clock::time_point deadline);
  Result<std::string> TakeChunks(Clock::time_point deadline);
  Result<std::string> TakeRest(Clock::time_point deadline);
  Result<std::string> TakeBody(const HttpReply& reply, Clock::time_point deadline);

  UniqueFd fd_;
  std::chrono::milliseconds timeout_;
  std::string buffer_;
};

/// The text of a request without a body; adds a Host header.
std::string RequestText(const std::string& method, const std::string& path,
                        const HeaderMap& headers = {});

/// One request to 127.0.0.1 on a connection of its own.
Result<HttpReply> HttpSend(const std::string& method, int port, const std::string& path,
                           const HeaderMap& headers = {},
                           std::chrono::milliseconds timeout = kPatience);

/// HttpSend with GET.
Result<HttpReply> HttpGet(int port, const std::string& path, const HeaderMap& headers = {},
                          std::chrono::milliseconds timeout = kPatience);

/// Sends `bytes` to 127.0.0.1 and returns everything until the server closes the connection.
Result<std::string> HttpSendRaw(int port, std::string_view bytes,
                                std::chrono::milliseconds timeout = kPatience);

/// The content of one complete gzip member; fails on damage, a cut end or bytes after it.
Result<std::string> Gunzip(std::string_view compressed);

}  // namespace sched_exporter::test_support
