#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/base/text.h"
#include "exporter/live/query_pairs.h"
#include "exporter/live/top_json.h"
#include "exporter/live/top_query.h"

// Whatever a client asks: no crash, no count beyond its bounds, and errors that are short and
// printable.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sched_exporter;
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  if (const auto top = ParseTopQuery(query)) {
    if (top->count < 1 || top->count > kMostTopRows) std::abort();
    (void)TopJson({}, *top);
  } else {
    const std::string& line = top.error().message;
    if (line.size() > 300 || !IsUtf8(line) || line.find('\n') != std::string::npos) std::abort();
    (void)ErrorJson(line);
  }
  const auto events = ParseEventsQuery(query);
  if (events && (*events < 1 || *events > kMostEvents)) std::abort();
  return 0;
}
