#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "exporter/base/unique_fd.h"

namespace sched_exporter::test_support {

/// A server on 127.0.0.1 or [::1] that answers as a test wishes, one connection at a time.
class ScriptedServer {
 public:
  /// Called with each request's head; what it sends is its own matter. The connection is closed
  /// when it returns.
  using Script = std::function<void(int fd, const std::string& head)>;

  explicit ScriptedServer(Script script, int family = AF_INET)
      : script_(std::move(script)), listener_(Listen(family)), thread_([this] { Serve(); }) {}

  ~ScriptedServer() {
    ends_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
    ::shutdown(connection_, SHUT_RDWR);      // ends a script that sends or waits
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  std::string Url(const std::string& target = "/pods") const {
    return "http://127.0.0.1:" + std::to_string(port_) + target;
  }

  /// False where the client is gone.
  static bool Send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Sends nothing until the client is gone.
  static void WaitForEnd(int fd) {
    std::array<char, 4096> ignored{};
    while (::recv(fd, ignored.data(), ignored.size(), 0) > 0) {
    }
  }

  /// An answer with its length.
  static std::string Reply(const std::string& body, const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }

 private:
  UniqueFd Listen(int family) {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    auto* address =
        family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::bind(fd.get(), address, size) != 0 || ::listen(fd.get(), 16) != 0 ||
        ::getsockname(fd.get(), address, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return fd;
  }

  void Serve() {
    while (!ends_) {
      const UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) {
        return;
      }
      connection_ = fd.get();
      std::string head;
      std::array<char, 4096> buffer{};
      ssize_t count = 1;
      while (head.find("\r\n\r\n") == head.npos && count > 0) {
        count = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        head.append(buffer.data(), static_cast<std::size_t>(count > 0 ? count : 0));
      }
      script_(fd.get(), head);
      connection_ = -1;
    }
  }

  Script script_;
  int port_ = 0;
  std::atomic<bool> ends_ = false;
  std::atomic<int> connection_ = -1;
  UniqueFd listener_;
  std::thread thread_;
};

}  // namespace sched_exporter::test_support
