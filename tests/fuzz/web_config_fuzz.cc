// Any bytes are a web config or a list of findings, in bounded time and memory. Seeds:
// corpus/web_config. Files that it names are read.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/config/web_config.h"

namespace {

using sched_exporter::Result;

bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

const sched_exporter::PemChecks kEverythingIsPem{
    [](const std::string& /*pem*/) { return Result<void>(); },
    [](const std::string& /*certificate*/, const std::string& /*key*/) { return Result<void>(); }};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto reading =
      sched_exporter::ParseWebConfig(text, "/nonexistent/fuzz.yml", kEverythingIsPem);
  if (!reading.settings) {
    // Findings go to terminals and logs: nothing of the input may reach them unescaped.
    const std::string& message = reading.settings.error().message;
    if (!std::all_of(message.begin(), message.end(),
                     [](char c) { return c == '\n' || IsPrintable(c); })) {
      std::abort();
    }
    return 0;
  }
  // Values of headers go to clients: no line may be smuggled in.
  for (const auto& [name, value] : reading.settings->headers) {
    if (!std::all_of(value.begin(), value.end(), IsPrintable)) {
      std::abort();
    }
  }
  // Nothing but bcrypt hashes reaches crypt(3).
  for (const auto& [name, hash] : reading.settings->users) {
    if (hash.size() != 60 || !hash.starts_with("$2")) {
      std::abort();
    }
  }
  return 0;
}
