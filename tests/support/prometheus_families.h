#pragma once

#include <gtest/gtest.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "exporter/metrics/exposition.h"
#include "exporter/metrics/sample_line.h"

namespace sched_exporter::test_support {

/// Series as prometheus-cpp has them: its text is what ours is compared with.
class PrometheusFamilies final : public SeriesSink {
 public:
  void Begin(const Family& family) override {
    family_ = &family;
    families_.push_back({family.name, family.help, family.type, {}});
  }
  void Put(const SeriesLabels& labels, Value value) override {
    Add(labels).gauge.value = value.AsDouble();
  }
  void PutCounter(const SeriesLabels& labels, Value value, std::uint64_t /*since_ns*/) override {
    Add(labels).counter.value = value.AsDouble();
  }
  void PutHistogram(const SeriesLabels& labels, const HistogramValue& value,
                    std::uint64_t /*since_ns*/) override {
    prometheus::ClientMetric::Histogram& histogram = Add(labels).histogram;
    for (std::size_t i = 0; i < value.buckets.size(); ++i) {
      histogram.sample_count += value.buckets[i];
      const double bound = i < value.bounds_ns.size() ? SecondsOf(value.bounds_ns[i])
                                                      : std::numeric_limits<double>::infinity();
      histogram.bucket.push_back({histogram.sample_count, bound});
    }
    histogram.sample_sum = SecondsOf(value.sum_ns);
  }

  /// Those that have series.
  std::vector<prometheus::MetricFamily> Take() {
    std::erase_if(families_, [](const auto& family) { return family.metric.empty(); });
    return std::move(families_);
  }

 private:
  static void AddLabels(const std::string& text, prometheus::ClientMetric& metric) {
    const auto line = ReadSampleLine("x{" + text + "} 1");
    ASSERT_TRUE(line) << line.error().message << ": " << text;
    for (const auto& [name, value] : line->labels) {
      metric.label.push_back({name, value});
    }
  }
  prometheus::ClientMetric& Add(const SeriesLabels& labels) {
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    AddLabels(labels.row.own(), metric);
    if (!labels.last.empty()) {
      metric.label.push_back({family_->labels.back(), std::string(labels.last)});
    }
    AddLabels(labels.row.more(), metric);
    return metric;
  }

  const Family* family_ = nullptr;
  std::vector<prometheus::MetricFamily> families_;
};

inline std::vector<prometheus::MetricFamily> FamiliesOf(const Sample& sample) {
  PrometheusFamilies families;
  AddSample(families, sample);
  return families.Take();
}

/// The classic text as prometheus-cpp writes it.
inline std::string PrometheusTextOf(const Sample& sample) {
  return prometheus::TextSerializer().Serialize(FamiliesOf(sample));
}

}  // namespace sched_exporter::test_support
