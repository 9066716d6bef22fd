#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/metrics_text.h"

namespace sched_exporter::test_support {

/// `promtool check metrics` with `text` as its input; silent and 0 where all is good.
Ended PromtoolCheck(const std::string& text);

/// Series that are there more than once, one line each.
std::vector<std::string> DuplicateSeries(const MetricsText& metrics);

/// A series of a histogram.
struct ServedHistogram {
  std::vector<std::pair<double, double>> buckets;  ///< Bound and count, as they are served.
  double count = 0;
  double sum = 0;

  /// The sum can be that of lengths in these buckets.
  bool HasPossibleSum() const;
};

/// All of a family, by their labels without `le`.
std::map<Labels, ServedHistogram> HistogramsIn(const MetricsText& metrics,
                                               const std::string& family);

/// What is wrong with those of a family: bounds that don't grow, buckets that have less than a
/// smaller one, no bucket +Inf or another count than it has; one line each.
std::vector<std::string> HistogramFaults(const MetricsText& metrics, const std::string& family);

/// Whether glibc's iconv, which is strict, takes `text` for UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace sched_exporter::test_support
