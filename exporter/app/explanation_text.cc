#include "exporter/app/explanation_text.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "exporter/base/clock.h"
#include "exporter/base/text.h"

namespace sched_exporter {

std::string Row(const std::string& key, const std::string& value) {
  constexpr std::size_t kWidth = 16;
  std::string row = key;
  row.resize(std::max(kWidth, key.size() + 1), ' ');
  return row + value + "\n";
}

std::string InQuotes(std::string_view printable) { return '"' + std::string(printable) + '"'; }

std::string TimeText(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / kNsPerSecond);
  std::tm parts{};
  std::array<char, 64> text{};
  gmtime_r(&seconds, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%F %T UTC", &parts)};
}

std::string NameOf(Hierarchy hierarchy) {
  switch (hierarchy) {
    case Hierarchy::kCpu:
      return "cpu";
    case Hierarchy::kCpuacct:
      return "cpuacct";
    case Hierarchy::kV2:
      break;
  }
  return "v2";
}

std::string ReasonOf(const NameFilter& filter, std::string_view name, const std::string& key) {
  for (const Pattern& pattern : filter.exclude) {
    if (pattern.Matches(name)) {
      return key + ".exclude has " + InQuotes(PrintableText(pattern.text()));
    }
  }
  return "nothing in " + key + ".include matches " + InQuotes(name);
}

}  // namespace sched_exporter
