#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::size_t> ParseNumber(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// Waits until the socket can be read or written; fails at the deadline.
Result<void> WaitFor(int fd, short events, Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd waiting{fd, events, 0};
  const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
  if (ready < 0 && errno != EINTR) return Fail(WithErrno("poll", errno));
  if (ready == 0 && Clock::now() >= deadline) return Fail("timeout: the server does not answer");
  return {};
}

Result<UniqueFd> Connect(const sockaddr* address, socklen_t size) {
  UniqueFd fd(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Fail(WithErrno("socket", errno));
  if (::connect(fd.get(), address, size) != 0) return Fail(WithErrno("connect", errno));
  return fd;
}

// "HTTP/1.1 200 OK\r\nName: value\r\n\r\n"
Result<HttpReply> ParseHead(std::string_view head) {
  HttpReply reply;
  const auto status = head.starts_with("HTTP/1.") && head.size() > 12
                          ? ParseNumber(head.substr(9, 3), 10)
                          : std::nullopt;
  if (!status) return Fail("not HTTP: " + std::string(head));
  reply.status = static_cast<int>(*status);
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.starts_with("\r\n")) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Fail("not a header: " + std::string(line));
    reply.headers[Lower(std::string(line.substr(0, colon)))] = Trim(line.substr(colon + 1));
    head.remove_prefix(line.size() + 2);
  }
  return reply;
}

}  // namespace

Result<HttpConnection> HttpConnection::Open(int port, const std::string& host,
                                            std::chrono::milliseconds timeout) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(static_cast<std::uint16_t>(port));
  Result<UniqueFd> fd = Fail("not a numeric address: " + host);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    fd = Connect(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    fd = Connect(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  if (!fd) return Fail(fd.error().message);
  return HttpConnection(std::move(*fd), timeout);
}

Result<void> HttpConnection::Send(std::string_view bytes) {
  const auto deadline = Clock::now() + timeout_;
  while (!bytes.empty()) {
    if (auto ready = WaitFor(fd_.get(), POLLOUT, deadline); !ready) return ready;
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return Fail(WithErrno("send", errno));
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<bool> HttpConnection::Fill(Clock::time_point deadline) {
  std::array<char, 65536> part;
  while (true) {
    if (auto ready = WaitFor(fd_.get(), POLLIN, deadline); !ready) {
      return Fail(ready.error().message);
    }
    const auto got = ::recv(fd_.get(), part.data(), part.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return Fail(WithErrno("recv", errno));
    buffer_.append(part.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
}

Result<std::string> HttpConnection::TakeBytes(std::size_t count, Clock::time_point deadline) {
  while (buffer_.size() < count) {
    const auto filled = Fill(deadline);
    if (!filled) return Fail(filled.error().message);
    if (!*filled) {
      return Fail("connection closed after " + std::to_string(buffer_.size()) + " of " +
                  std::to_string(count) + " bytes");
    }
  }
  std::string taken = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return taken;
}

Result<std::string> HttpConnection::TakeThrough(std::string_view end, Clock::time_point deadline) {
  while (buffer_.find(end) == std::string::npos) {
    const auto filled = Fill(deadline);
    if (!filled) return Fail(filled.error().message);
    if (!*filled) return Fail("connection closed");
  }
  return TakeBytes(buffer_.find(end) + end.size(), deadline);
}

Result<std::string> HttpConnection::TakeChunks(Clock::time_point deadline) {
  std::string body;
  while (true) {
    const auto line = TakeThrough("\r\n", deadline);
    if (!line) return line;
    const auto size = ParseNumber(*line, 16);
    if (!size) return Fail("not the size of a chunk: " + *line);
    const auto chunk = TakeBytes(*size + 2, deadline);
    if (!chunk) return chunk;
    if (*size == 0) return body;
    body.append(*chunk, 0, *size);
  }
}

Result<std::string> HttpConnection::TakeRest(Clock::time_point deadline) {
  while (true) {
    const auto filled = Fill(deadline);
    if (!filled) return Fail(filled.error().message);
    if (!*filled) return std::exchange(buffer_, {});
  }
}

Result<std::string> HttpConnection::TakeBody(const HttpReply& reply, Clock::time_point deadline) {
  if (const auto it = reply.headers.find("transfer-encoding"); it != reply.headers.end()) {
    return it->second == "chunked" ? TakeChunks(deadline) : Fail("unknown: " + it->second);
  }
  const auto it = reply.headers.find("content-length");
  if (it == reply.headers.end()) return TakeRest(deadline);
  const auto size = ParseNumber(it->second, 10);
  return size ? TakeBytes(*size, deadline) : Fail("not a length: " + it->second);
}

Result<HttpReply> HttpConnection::ReadReply(bool has_body) {
  const auto deadline = Clock::now() + timeout_;
  const auto head = TakeThrough("\r\n\r\n", deadline);
  if (!head) return Fail(head.error().message);
  auto reply = ParseHead(*head);
  if (!reply || !has_body) return reply;
  auto body = TakeBody(*reply, deadline);
  if (!body) return Fail(body.error().message);
  reply->body = std::move(*body);
  return reply;
}

Result<std::string> HttpConnection::ReadToEnd() { return TakeRest(Clock::now() + timeout_); }

std::string RequestText(const std::string& method, const std::string& path,
                        const HeaderMap& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

Result<HttpReply> HttpSend(const std::string& method, int port, const std::string& path,
                           const HeaderMap& headers, std::chrono::milliseconds timeout) {
  auto connection = HttpConnection::Open(port, "127.0.0.1", timeout);
  if (!connection) return Fail(connection.error().message);
  if (auto sent = connection->Send(RequestText(method, path, headers)); !sent) {
    return Fail(sent.error().message);
  }
  return connection->ReadReply(method != "HEAD");
}

Result<HttpReply> HttpGet(int port, const std::string& path, const HeaderMap& headers,
                          std::chrono::milliseconds timeout) {
  return HttpSend("GET", port, path, headers, timeout);
}

Result<std::string> HttpSendRaw(int port, std::string_view bytes,
                                std::chrono::milliseconds timeout) {
  auto connection = HttpConnection::Open(port, "127.0.0.1", timeout);
  if (!connection) return Fail(connection.error().message);
  if (auto sent = connection->Send(bytes); !sent) return Fail(sent.error().message);
  return connection->ReadToEnd();
}

}  // namespace sched_exporter::test_support
