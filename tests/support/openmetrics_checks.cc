#include "tests/support/openmetrics_checks.h"

#include <sstream>

#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {
namespace {

Result<std::vector<std::string>> SeriesOf(const std::string& text, const std::string& format) {
  const TempDirectory directory;
  const std::string file = directory.Write("metrics", text);
  // Debian's own: another python3 in the PATH may not have the package.
  const Ended read =
      RunProgram({"/usr/bin/python3", SOURCE_DIR "/tests/support/series_of_text.py", format, file});
  if (read.exit_code != 0) {
    return Fail(read.output);
  }
  std::vector<std::string> series;
  std::istringstream lines(read.output);
  for (std::string line; std::getline(lines, line);) {
    series.push_back(line);
  }
  return series;
}

}  // namespace

Result<std::vector<std::string>> SeriesOfClassic(const std::string& text) {
  return SeriesOf(text, "classic");
}

Result<std::vector<std::string>> SeriesOfOpenMetrics(const std::string& text) {
  return SeriesOf(text, "openmetrics");
}

}  // namespace sched_exporter::test_support
