#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter::test_support {

using Labels = std::map<std::string, std::string>;

/// One line of the text exposition format; label values unescaped.
struct Line {
  std::string name;
  Labels labels;
  double value = 0;
};

/// One scrape. A parser of its own, so that tests don't trust the library that wrote it.
class MetricsText {
 public:
  static Result<MetricsText> Parse(std::string_view text);

  const std::vector<Line>& lines() const { return lines_; }

  /// Sum over the series of `name` that have all of `labels` (others are free); 0 if there is none.
  double Sum(const std::string& name, const Labels& labels = {}) const;

  /// Number of such series.
  std::size_t Count(const std::string& name, const Labels& labels = {}) const;

  /// Whether `# TYPE` calls it a counter, or it is a part of what that calls a histogram.
  bool IsCounter(const std::string& name) const;

 private:
  std::vector<Line> lines_;
  std::map<std::string, std::string> types_;
};

/// Every counter series of `later` that `earlier` has, too, and that went back; one line each.
std::vector<std::string> BackwardCounters(const MetricsText& earlier, const MetricsText& later);

}  // namespace sched_exporter::test_support
