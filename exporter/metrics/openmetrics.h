#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sched_exporter {

/// Writes metric families as OpenMetrics 1.0.0 text, and with the names, labels and values that
/// prometheus::TextSerializer gives the same families, so that a change of format changes no
/// series.
class OpenMetricsWriter {
 public:
  /// Appends to `text`, which is not owned.
  explicit OpenMetricsWriter(std::string& text) : text_(text) {}

  /// A family of counters, gauges or histograms, whose names must differ; the exporter has no
  /// others. `created_unix_ns` says since when each series counts, in the order of the family's;
  /// empty: that is not told. Gauges have none.
  void Add(const prometheus::MetricFamily& family,
           std::span<const std::uint64_t> created_unix_ns = {});

  /// Ends the text; nothing can be added after it.
  void Finish() { text_ += "# EOF\n"; }

 private:
  void AddHistogram(const prometheus::ClientMetric& metric);
  void AddSample(std::string_view suffix, double value);
  void AddBucket(double bound, std::size_t index, std::uint64_t count);
  void AddCreated(std::uint64_t unix_ns);
  const std::string& BoundText(double bound, std::size_t index);
  void SetLabels(const prometheus::ClientMetric& metric);

  struct Bound {
    double value = 0;
    std::string text;
  };

  std::string& text_;
  std::string name_;           ///< Of the family, without the suffix that its samples have.
  std::string labels_;         ///< Of the series that is being written: `{a="b"` or empty.
  std::vector<Bound> bounds_;  ///< Of the last histogram: the next one has mostly the same.
};

}  // namespace sched_exporter
