// Whatever a client accepts: a format that there is, and the same for a field with more blanks.
// Seeds: corpus/accept.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/metrics/negotiation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sched_exporter::NegotiateFormat;
  const std::string_view accept(reinterpret_cast<const char*>(data), size);
  const auto format = NegotiateFormat(accept);
  if (*sched_exporter::ContentTypeOf(format) == '\0') {
    std::abort();
  }
  if (NegotiateFormat(" \t" + std::string(accept)) != format) {
    std::abort();
  }
  // A client that names neither format gets the classic one.
  if (accept.find('/') == accept.npos && format != sched_exporter::TextFormat::kClassic) {
    std::abort();
  }
  return 0;
}
