#include "tests/support/exposition_checks.h"

#include <iconv.h>

#include <set>
#include <utility>

#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

Ended PromtoolCheck(const std::string& text) {
  const TempDirectory directory;
  const std::string file = directory.Write("metrics", text);
  return RunProgram({"sh", "-c", "exec promtool check metrics < \"$1\"", "sh", file});
}

std::vector<std::string> DuplicateSeries(const MetricsText& metrics) {
  std::set<std::pair<std::string, Labels>> seen;
  std::vector<std::string> duplicates;
  for (const Line& line : metrics.lines()) {
    if (!seen.emplace(line.name, line.labels).second) {
      std::string text = line.name;
      for (const auto& [label, value] : line.labels) {
        text.append(" ").append(label).append("=").append(value);
      }
      duplicates.push_back(text);
    }
  }
  return duplicates;
}

bool IsUtf8(std::string_view text) {
  iconv_t converter = iconv_open("UTF-32LE", "UTF-8");
  std::string input(text);
  std::string output(4 * input.size() + 4, '\0');
  char* from = input.data();
  char* to = output.data();
  std::size_t left = input.size();
  std::size_t room = output.size();
  const bool valid = iconv(converter, &from, &left, &to, &room) != static_cast<std::size_t>(-1);
  iconv_close(converter);
  return valid;
}

}  // namespace sched_exporter::test_support
