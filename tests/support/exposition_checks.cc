#include "tests/support/exposition_checks.h"

#include <iconv.h>

#include <cmath>
#include <cstdlib>
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

bool ServedHistogram::HasPossibleSum() const {
  constexpr double kRounding = 1e-9;
  double least = 0;
  double most = 0;
  double bound = 0;
  double below = 0;
  for (const auto& [upper, up_to] : buckets) {
    least += (up_to - below) * bound;
    most += up_to > below ? (up_to - below) * upper : 0;
    bound = upper;
    below = up_to;
  }
  return sum >= least * (1 - kRounding) && sum <= most * (1 + kRounding);
}

std::map<Labels, ServedHistogram> HistogramsIn(const MetricsText& metrics,
                                               const std::string& family) {
  std::map<Labels, ServedHistogram> histograms;
  for (const Line& line : metrics.lines()) {
    Labels labels = line.labels;
    labels.erase("le");
    if (line.name == family + "_bucket") {
      const double bound = std::strtod(line.labels.at("le").c_str(), nullptr);
      histograms[labels].buckets.emplace_back(bound, line.value);
    } else if (line.name == family + "_count") {
      histograms[labels].count = line.value;
    } else if (line.name == family + "_sum") {
      histograms[labels].sum = line.value;
    }
  }
  return histograms;
}

std::vector<std::string> HistogramFaults(const MetricsText& metrics, const std::string& family) {
  std::vector<std::string> faults;
  for (const auto& [labels, histogram] : HistogramsIn(metrics, family)) {
    std::string name = family;
    for (const auto& [label, value] : labels) {
      name.append(" ").append(label).append("=").append(value);
    }
    std::pair<double, double> last{0, 0};
    for (const auto& bucket : histogram.buckets) {
      if (!(bucket.first > last.first) || bucket.second < last.second) {
        faults.push_back(name + ": le=" + std::to_string(bucket.first));
      }
      last = bucket;
    }
    if (!std::isinf(last.first) || last.second != histogram.count) {
      faults.push_back(name + ": +Inf and count");
    }
  }
  return faults;
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
