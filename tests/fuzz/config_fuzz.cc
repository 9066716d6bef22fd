// Any bytes are a config or a list of findings, in bounded time and memory. Seeds: corpus/config.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/config/loader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = sched_exporter::ParseConfig(text, "fuzz.yml");
  if (config) {
    return 0;
  }
  // Findings go to terminals and logs: nothing of the input may reach them unescaped.
  for (const char c : config.error().message) {
    if (c != '\n' && (c < ' ' || c > '~')) {
      std::abort();
    }
  }
  return 0;
}
