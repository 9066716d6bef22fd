#include "exporter/app/instance_lock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace sched_exporter {
namespace {

constexpr std::string_view kName("\0sched_exporter/instance", 24);

/// Who listens on a bound socket; none where it doesn't say.
std::optional<ucred> Holder(const sockaddr* address, socklen_t length) {
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ucred holder{};
  socklen_t size = sizeof(holder);
  if (::connect(client.get(), address, length) != 0 ||
      ::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &holder, &size) != 0) {
    return std::nullopt;
  }
  return holder;
}

}  // namespace

Result<UniqueFd> TakeInstanceLock() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, kName.data(), kName.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + kName.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  UniqueFd lock(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!lock.valid()) {
    return Fail(WithErrno("cannot make a Unix socket", errno));
  }
  if (::bind(lock.get(), generic, length) != 0) {
    if (errno != EADDRINUSE) {
      return Fail(WithErrno("cannot bind a Unix socket", errno));
    }
    const std::optional<ucred> holder = Holder(generic, length);
    if (holder && holder->uid != 0 && holder->uid != ::geteuid()) {
      // Anybody may take this name. Who could not stop us otherwise must not do it so.
      return UniqueFd();
    }
    return Fail("another sched_exporter runs already (pid " +
                (holder ? std::to_string(holder->pid) : std::string("unknown")) +
                "); stop it, or start this one with --allow-second-instance");
  }
  if (::listen(lock.get(), 1) != 0) {
    return Fail(WithErrno("cannot listen on a Unix socket", errno));
  }
  return lock;
}

}  // namespace sched_exporter
