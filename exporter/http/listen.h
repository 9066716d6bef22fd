#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/address.h"

namespace sched_exporter {

/// What the library and the host can do about IPv6.
enum class Ipv6 { kAvailable, kNotOnThisHost, kNotInCivetweb };

/// A socket address that is ready for bind(). `any` means all addresses of the host.
struct Endpoint {
  sockaddr_storage address{};
  socklen_t size = 0;
  bool any = false;
};

/// Looks at civetweb's features and tries an IPv6 socket. Debian's civetweb 1.15 has no IPv6.
Ipv6 DetectIpv6();

/// Finds the one socket address for `address`. A name with several gives the first IPv4 address, as
/// Go programs do it, so that "localhost" means the same here as for Prometheus; the IPv6 address
/// where there is no other. ":port" takes both protocols in one socket where `ipv6` allows it.
/// May ask DNS. Fails with the reason alone ("no such host").
Result<Endpoint> Resolve(const ListenAddress& address, Ipv6 ipv6);

/// The same address with another port.
Endpoint WithPort(Endpoint endpoint, std::uint16_t port);

/// The endpoint in civetweb's syntax for listening_ports. It is made of numbers only, so no text of
/// the user reaches civetweb's parser.
std::string CivetwebPort(const Endpoint& endpoint);

/// The endpoints of addresses as a user wrote them. Fails with one line that names the address.
Result<std::vector<Endpoint>> ResolveAll(const std::vector<std::string>& addresses);

/// Sockets that listen on the endpoints, in their order, and what they hand on to connections: a
/// small buffer for what clients send, and a limit on how long the kernel keeps what they don't
/// take. Fails with one line that names the first address that can't be listened on, and why.
Result<std::vector<UniqueFd>> ListenOn(const std::vector<std::string>& addresses,
                                       const std::vector<Endpoint>& endpoints);

/// The port that a socket is bound to.
std::uint16_t PortOf(const UniqueFd& socket);

/// Ends every TCP connection that this process accepted on `local`, and `local` itself as a
/// listening socket, with shutdown(2): all waiting threads wake up at once. Descriptors stay open
/// for their owners. Needs /proc/self/fd and one spare descriptor. For any thread.
void ShutDownSockets(const Endpoint& local);

}  // namespace sched_exporter
