#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "exporter/metrics/families.h"
#include "exporter/model/group.h"
#include "exporter/model/report.h"

namespace sched_exporter {

using prometheus::MetricFamily;

/// Values of a series' labels. An empty value is none, to Prometheus, and is left out.
struct LabelValues {
  LabelValues(std::initializer_list<std::string> values) : own(values) {}

  std::vector<std::string> own;  ///< Of the family's labels, in the order of their names.
  /// Labels that not all series of the family have; not owned, may be null.
  const std::map<std::string, std::string>* more = nullptr;
};

/// `labels` and the value of one label more.
LabelValues With(const LabelValues& labels, const std::string& last);

/// The labels of a group or cgroup.
LabelValues LabelsOf(const NamedRow& row);

/// The label value of what has no series of its own.
inline constexpr const char* kOther = kOtherName;

/// The one place where nanoseconds become seconds.
inline double Seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

inline double Count(std::uint64_t value) { return static_cast<double>(value); }

/// `buckets` are not cumulative, as Prometheus' are; the last one takes what is beyond all bounds.
prometheus::ClientMetric::Histogram HistogramOf(std::span<const std::uint64_t> buckets,
                                                std::span<const std::uint64_t> bounds_ns,
                                                std::uint64_t sum_ns);

/// A family with its series.
struct MadeFamily {
  MetricFamily family;
  /// CLOCK_BOOTTIME since when each series counts, in their order. Gauges have none.
  std::vector<std::uint64_t> since_ns;
};

/// Collects families; a family without series is left out.
class Builder {
 public:
  static MadeFamily Begin(const Family& family, std::size_t series);

  /// One series of a gauge.
  static void Put(MadeFamily& to, const Family& family, LabelValues values, double value);

  /// One series of a counter.
  static void PutCounter(MadeFamily& to, const Family& family, LabelValues values, double value,
                         std::uint64_t since_ns);

  /// One series of a histogram.
  static void PutHistogram(MadeFamily& to, const Family& family, LabelValues values,
                           prometheus::ClientMetric::Histogram value, std::uint64_t since_ns);

  void End(MadeFamily family);

  /// A family of one gauge without labels.
  void Single(const Family& family, double value);

  /// A family of one counter without labels.
  void SingleCounter(const Family& family, double value, std::uint64_t since_ns);

  /// A family of gauges that differ in one label.
  void Labelled(const Family& family, const std::vector<std::pair<std::string, double>>& values);

  std::vector<MadeFamily> Take() { return std::move(families_); }

 private:
  std::vector<MadeFamily> families_;
};

}  // namespace sched_exporter
