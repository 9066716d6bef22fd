#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "exporter/metrics/families.h"

namespace sched_exporter {

using prometheus::MetricFamily;

/// Values of a family's labels, in the order of their names.
using LabelValues = std::vector<std::string>;

/// The label value of what has no series of its own.
inline constexpr char kOther[] = "other";

/// The one place where nanoseconds become seconds.
inline double Seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

inline double Count(std::uint64_t value) { return static_cast<double>(value); }

/// Collects families; a family without series is left out.
class Builder {
 public:
  static MetricFamily Begin(const Family& family, std::size_t series);

  /// One series of a counter or gauge.
  static void Put(MetricFamily& to, const Family& family, LabelValues values, double value);

  /// One series of a histogram.
  static void Put(MetricFamily& to, const Family& family, LabelValues values,
                  prometheus::ClientMetric::Histogram value);

  void End(MetricFamily family);

  /// A family of one series without labels.
  void Single(const Family& family, double value);

  /// A family whose series differ in one label.
  void Labelled(const Family& family, const std::vector<std::pair<std::string, double>>& values);

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

}  // namespace sched_exporter
