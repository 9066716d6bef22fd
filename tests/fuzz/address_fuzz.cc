#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/http/address.h"
#include "exporter/http/listen.h"
#include "exporter/http/server.h"

// Whatever the user writes: no crash, and only numbers reach civetweb's list of ports.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sched_exporter;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)AcceptsGzip(text);
  const auto address = ParseListenAddress(text);
  if (!address) return 0;
  // Names would ask DNS.
  if (address->host.find_first_not_of("0123456789.:") != std::string::npos) return 0;
  const auto endpoint = Resolve(*address, Ipv6::kAvailable);
  if (!endpoint) return 0;
  const std::string port = CivetwebPort(*endpoint);
  if (port.find_first_not_of("0123456789abcdef.:[]+") != std::string::npos) std::abort();
  return 0;
}
