#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "exporter/base/unique_fd.h"
#include "exporter/http/listen.h"

namespace sched_exporter {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool SameIpv4(const Endpoint& local, const sockaddr_storage& other) {
  sockaddr_in a{};
  sockaddr_in b{};
  std::memcpy(&a, &local.address, sizeof a);
  std::memcpy(&b, &other, sizeof b);
  return a.sin_port == b.sin_port && (local.any || a.sin_addr.s_addr == b.sin_addr.s_addr);
}

bool SameIpv6(const Endpoint& local, const sockaddr_storage& other) {
  sockaddr_in6 a{};
  sockaddr_in6 b{};
  std::memcpy(&a, &local.address, sizeof a);
  std::memcpy(&b, &other, sizeof b);
  return a.sin6_port == b.sin6_port &&
         (local.any || std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0);
}

// Accepted sockets have the local address of their listening socket; outgoing connections of this
// process to the server have another port.
bool BelongsTo(const Endpoint& local, int fd) {
  sockaddr_storage other{};
  socklen_t size = sizeof other;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&other), &size) != 0 ||
      other.ss_family != local.address.ss_family) {
    return false;
  }
  return other.ss_family == AF_INET6  ? SameIpv6(local, other)
         : other.ss_family == AF_INET ? SameIpv4(local, other)
                                      : false;
}

}  // namespace

void ShutDownSockets(const Endpoint& local) {
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc/self/fd"));
  if (!directory) return;
  while (const dirent* entry = ::readdir(directory.get())) {
    // A copy of its own: a number that another thread closes and reuses between the look and the
    // shutdown would end a stranger's connection.
    const UniqueFd copy(::fcntl(std::atoi(entry->d_name), F_DUPFD_CLOEXEC, 0));
    if (copy.valid() && BelongsTo(local, copy.get())) ::shutdown(copy.get(), SHUT_RDWR);
  }
}

}  // namespace sched_exporter
