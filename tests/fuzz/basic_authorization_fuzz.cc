// Any bytes are credentials or none, and credentials are read as they are written. Seeds:
// corpus/basic_authorization.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/http/basic_credentials.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sched_exporter;
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto credentials = ParseBasicAuthorization(value);
  if (!credentials) return 0;
  const auto again = ParseBasicAuthorization(BasicAuthorization(*credentials));
  if (!again || again->user != credentials->user || again->password != credentials->password) {
    std::abort();
  }
  return 0;
}
