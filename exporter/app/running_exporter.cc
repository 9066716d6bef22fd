#include "exporter/app/running_exporter.h"

#include "exporter/http/address.h"

namespace sched_exporter {

Result<std::string> RunningExporterUrl(const std::string& listen_address) {
  const auto address = ParseListenAddress(listen_address);
  if (!address) {
    return tl::unexpected(address.error());
  }
  if (address->port == 0) {
    return Fail("cannot tell the port of the running exporter from --web.listen-address=" +
                listen_address + "; give its URL");
  }
  const bool is_any = address->host.empty() || address->host == "0.0.0.0";
  std::string host = is_any ? "127.0.0.1" : address->host;
  if (host.find(':') != std::string::npos) {
    host = host == "::" ? "[::1]" : "[" + host + "]";
  }
  return "http://" + host + ":" + std::to_string(address->port);
}

}  // namespace sched_exporter
