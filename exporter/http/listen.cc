#include "exporter/http/listen.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <system_error>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

constexpr unsigned kFeatureIpv6 = 8;  // of mg_check_feature

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Endpoint AnyEndpoint(int family, std::uint16_t port) {
  Endpoint endpoint;  // all bits zero: INADDR_ANY and in6addr_any
  endpoint.any = true;
  endpoint.address.ss_family = static_cast<sa_family_t>(family);
  endpoint.size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return WithPort(endpoint, port);
}

Endpoint FromAddrinfo(const addrinfo& info) {
  Endpoint endpoint;
  endpoint.size = info.ai_addrlen;
  std::memcpy(&endpoint.address, info.ai_addr, info.ai_addrlen);
  return endpoint;
}

const addrinfo* FirstOf(const addrinfo* list, int family) {
  while (list != nullptr && list->ai_family != family) list = list->ai_next;
  return list;
}

std::string NoIpv6(Ipv6 ipv6) {
  const bool library = ipv6 == Ipv6::kNotInCivetweb;
  return std::string(library ? "the civetweb library was built without IPv6"
                             : "this host has no IPv6") +
         "; use an IPv4 address";
}

int BoundSocket(const Endpoint& endpoint, UniqueFd& fd) {
  fd =
      UniqueFd(::socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return errno;
  // Without it, connections in TIME_WAIT would look like a server.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int v6_only = endpoint.any ? 0 : 1;
  if (endpoint.address.ss_family == AF_INET6) {
    ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
  }
  const auto* address = reinterpret_cast<const sockaddr*>(&endpoint.address);
  return ::bind(fd.get(), address, endpoint.size) == 0 ? 0 : errno;
}

int Listen(const UniqueFd& fd) {
  // Connections that come at once wait there until they are accepted, which is soon. Whose first
  // packet finds no room tries again after a second. The kernel's own limit is the same.
  constexpr int kBacklog = 4096;
  // Twice the largest head; thousands of connections must not fill the memory with what they send.
  constexpr int kReceiveBytes = 16 * 1024;
  // For what a client doesn't take after the connection was closed.
  constexpr unsigned kUntakenMs = 8'000;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBytes, sizeof kReceiveBytes);
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUntakenMs, sizeof kUntakenMs);
  return ::listen(fd.get(), kBacklog) == 0 ? 0 : errno;
}

std::string ReasonText(int error) {
  switch (error) {
    case EADDRINUSE:
      return "address already in use; choose another with --web.listen-address";
    case EADDRNOTAVAIL:
      return "this host does not have the address; choose another with --web.listen-address";
    case EACCES:
      return "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE, choose another with "
             "--web.listen-address";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace

Ipv6 DetectIpv6() {
  if (mg_check_feature(kFeatureIpv6) == 0) return Ipv6::kNotInCivetweb;
  UniqueFd fd;
  return BoundSocket(AnyEndpoint(AF_INET6, 0), fd) == 0 ? Ipv6::kAvailable : Ipv6::kNotOnThisHost;
}

Result<Endpoint> Resolve(const ListenAddress& address, Ipv6 ipv6) {
  if (address.host.empty()) {
    return AnyEndpoint(ipv6 == Ipv6::kAvailable ? AF_INET6 : AF_INET, address.port);
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (error != 0) {
    return Fail("cannot resolve the host: " + std::string(::gai_strerror(error)));
  }
  const AddressList list(found, &::freeaddrinfo);
  if (const addrinfo* v4 = FirstOf(list.get(), AF_INET)) return FromAddrinfo(*v4);
  const addrinfo* v6 = FirstOf(list.get(), AF_INET6);
  if (v6 == nullptr) return Fail("the host has no IP address");
  if (ipv6 != Ipv6::kAvailable) return Fail(NoIpv6(ipv6));
  return FromAddrinfo(*v6);
}

Endpoint WithPort(Endpoint endpoint, std::uint16_t port) {
  // The port is at the same place for both families.
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  const in_port_t network_order = htons(port);
  std::memcpy(reinterpret_cast<char*>(&endpoint.address) + offsetof(sockaddr_in, sin_port),
              &network_order, sizeof network_order);
  return endpoint;
}

std::string CivetwebPort(const Endpoint& endpoint) {
  char text[INET6_ADDRSTRLEN] = {};
  if (endpoint.address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &endpoint.address, sizeof v6);
    const std::string port = std::to_string(ntohs(v6.sin6_port));
    if (endpoint.any) return "+" + port;  // one socket for IPv6 and IPv4
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + port;
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &endpoint.address, sizeof v4);
  ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
  return std::string(text) + ":" + std::to_string(ntohs(v4.sin_port));
}

Result<std::vector<Endpoint>> ResolveAll(const std::vector<std::string>& addresses) {
  std::vector<Endpoint> endpoints;
  for (const std::string& address : addresses) {
    const auto parsed = ParseListenAddress(address);
    if (!parsed) return tl::unexpected(parsed.error());
    const auto endpoint = Resolve(*parsed, DetectIpv6());
    if (!endpoint) {
      return Fail("cannot listen on \"" + address + "\": " + endpoint.error().message);
    }
    endpoints.push_back(*endpoint);
  }
  return endpoints;
}

Result<std::vector<UniqueFd>> ListenOn(const std::vector<std::string>& addresses,
                                       const std::vector<Endpoint>& endpoints) {
  std::vector<UniqueFd> sockets;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    UniqueFd fd;
    int error = BoundSocket(endpoints[i], fd);
    if (error == 0) error = Listen(fd);
    if (error != 0) {
      return Fail("cannot listen on \"" + addresses[i] + "\": " + ReasonText(error));
    }
    sockets.push_back(std::move(fd));
  }
  return sockets;
}

std::uint16_t PortOf(const UniqueFd& socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0) return 0;
  sockaddr_in address{};
  std::memcpy(&address, &own, sizeof address);  // the port is at the same place in sockaddr_in6
  return ntohs(address.sin_port);
}

}  // namespace sched_exporter
