#include "exporter/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>

#include "exporter/base/unique_fd.h"
#include "exporter/http/basic_credentials.h"
#include "exporter/http/response_reader.h"
#include "exporter/http/tls_client.h"
#include "exporter/http/url.h"

namespace sched_exporter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kTooLate = "no complete answer in time; is the server slow or overloaded?";

/// One request. Every wait ends at the same deadline.
class Exchange {
 public:
  explicit Exchange(std::chrono::milliseconds timeout) : end_(Clock::now() + timeout) {}

  Result<void> Connect(const Url& url);
  /// Before anything is sent.
  Result<void> StartTls(const Url& url, const HttpClientOptions& options);
  Result<void> Send(std::string_view bytes);
  Result<std::string> Read(std::size_t most_bytes);

 private:
  using Buffer = std::array<char, 65536>;

  Result<void> WaitFor(short events) const;
  Result<void> SendRaw(std::string_view bytes);
  /// How many bytes came; 0 at the end.
  Result<std::size_t> ReceiveRaw(Buffer& buffer);
  Result<std::size_t> Receive(Buffer& buffer);
  Result<std::size_t> RunTls(const TlsClient::Step& step);

  Clock::time_point end_;
  UniqueFd fd_;
  std::unique_ptr<TlsClient> tls_;
};

/// Also checks the time where nobody has to wait: a server may always have one more byte.
Result<void> Exchange::WaitFor(short events) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - Clock::now());
    if (left.count() <= 0) {
      return Fail(kTooLate);
    }
    pollfd wanted{fd_.get(), events, 0};
    const auto wait = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
    const int ready = ::poll(&wanted, 1, static_cast<int>(wait));
    if (ready > 0) {
      return {};
    }
    if (ready < 0 && errno != EINTR) {
      return Fail(WithErrno("cannot wait for the server", errno));
    }
  }
}

Result<void> Exchange::Connect(const Url& url) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v6.sin6_family = AF_INET6;
  v4.sin_port = v6.sin6_port = htons(url.port);
  const bool is_v4 = ::inet_pton(AF_INET, url.host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4) {
    ::inet_pton(AF_INET6, url.host.c_str(), &v6.sin6_addr);
  }
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  fd_ = UniqueFd(
      ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  int error = fd_.valid() ? 0 : errno;
  // Or the second write of a TLS handshake waits for the answer to the first.
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (error == 0 && ::connect(fd_.get(), address, is_v4 ? sizeof v4 : sizeof v6) != 0) {
    error = errno;
  }
  if (error == EINPROGRESS) {
    if (auto connected = WaitFor(POLLOUT); !connected) {
      return connected;
    }
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    return Fail(WithErrno("cannot connect", error) + "; does the server listen there?");
  }
  return {};
}

Result<void> Exchange::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    if (auto writable = WaitFor(POLLOUT); !writable) {
      return writable;
    }
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR && errno != EAGAIN) {
      return Fail(WithErrno("cannot send the request", errno));
    }
  }
  return {};
}

Result<std::size_t> Exchange::ReceiveRaw(Buffer& buffer) {
  while (true) {
    if (auto readable = WaitFor(POLLIN); !readable) {
      return tl::unexpected(readable.error());
    }
    const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR && errno != EAGAIN) {
      return Fail(WithErrno("cannot read the answer", errno));
    }
  }
}

/// Repeats the step with what the server sends, until it is done.
Result<std::size_t> Exchange::RunTls(const TlsClient::Step& step) {
  Buffer buffer{};
  while (true) {
    auto done = tls_->Run(step);
    // What it wants to say, also when it failed.
    if (auto sent = SendRaw(tls_->TakeOutput()); !sent) {
      return tl::unexpected(done ? sent.error() : done.error());
    }
    if (!done || *done != TlsClient::kWantsInput) {
      return done;
    }
    auto count = ReceiveRaw(buffer);
    if (!count || *count == 0) {
      return count ? Fail("the server closed the connection in the middle") : count;
    }
    tls_->PutInput({buffer.data(), *count});
  }
}

Result<void> Exchange::StartTls(const Url& url, const HttpClientOptions& options) {
  auto tls = TlsClient::Make(url.name, options);
  if (!tls) {
    return tl::unexpected(tls.error());
  }
  tls_ = std::move(*tls);
  return RunTls(TlsClient::Handshake()).map([](std::size_t) {});
}

Result<void> Exchange::Send(std::string_view bytes) {
  return tls_ ? RunTls(TlsClient::Write(bytes)).map([](std::size_t) {}) : SendRaw(bytes);
}

Result<std::size_t> Exchange::Receive(Buffer& buffer) {
  if (!tls_) {
    return ReceiveRaw(buffer);
  }
  // A server may always have one more record.
  if (Clock::now() >= end_) {
    return Fail(kTooLate);
  }
  return RunTls(TlsClient::Read(buffer));
}

Result<std::string> Exchange::Read(std::size_t most_bytes) {
  ResponseReader reader(most_bytes);
  Buffer buffer{};
  while (!reader.done()) {
    const auto count = Receive(buffer);
    if (!count) {
      return tl::unexpected(count.error());
    }
    const auto taken = *count == 0 ? reader.End() : reader.Feed({buffer.data(), *count});
    if (!taken) {
      return tl::unexpected(taken.error());
    }
  }
  return reader.TakeBody();
}

std::string RequestOf(const Url& url, const HttpClientOptions& options) {
  std::string request = "GET " + url.target + " HTTP/1.1\r\nHost: " + url.authority +
                        "\r\nUser-Agent: sched_exporter\r\nConnection: close\r\n";
  if (!options.user.empty()) {
    request += "Authorization: " + BasicAuthorization({options.user, options.password}) + "\r\n";
  }
  return request + "\r\n";
}

Result<std::string> Get(const Url& url, std::chrono::milliseconds timeout, std::size_t most_bytes,
                        const HttpClientOptions& options) {
  Exchange exchange(timeout);
  return exchange.Connect(url)
      .and_then([&] { return url.is_https ? exchange.StartTls(url, options) : Result<void>(); })
      .and_then([&] { return exchange.Send(RequestOf(url, options)); })
      .and_then([&] { return exchange.Read(most_bytes); });
}

/// A malformed URL may hold a password, or bytes for no log.
std::string Printable(const std::string& url) {
  if (url.find('@') != url.npos) {
    return "(URL with a user name)";
  }
  std::string shown = url.substr(0, 200);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

}  // namespace

Result<std::string> HttpGet(const std::string& url, std::chrono::milliseconds timeout,
                            std::size_t most_bytes, const HttpClientOptions& options) {
  return ParseUrl(url)
      .and_then([&](const Url& parsed) { return Get(parsed, timeout, most_bytes, options); })
      .map_error([&](const Error& error) {
        return Error{"cannot get " + Printable(url) + ": " + error.message};
      });
}

}  // namespace sched_exporter
