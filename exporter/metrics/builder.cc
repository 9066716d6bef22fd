#include "exporter/metrics/builder.h"

#include <limits>

namespace sched_exporter {
namespace {

prometheus::ClientMetric& AddSeries(MadeFamily& to, const Family& family, LabelValues values) {
  prometheus::ClientMetric& metric = to.family.metric.emplace_back();
  metric.label.reserve(values.own.size() + (values.more == nullptr ? 0 : values.more->size()));
  for (std::size_t i = 0; i < values.own.size(); ++i) {
    if (!values.own[i].empty()) {
      metric.label.push_back({family.labels[i], std::move(values.own[i])});
    }
  }
  if (values.more != nullptr) {
    for (const auto& [name, value] : *values.more) {
      metric.label.push_back({name, value});
    }
  }
  return metric;
}

}  // namespace

LabelValues With(const LabelValues& labels, const std::string& last) {
  LabelValues values{};
  values.own.reserve(labels.own.size() + 1);
  values = labels;
  values.own.push_back(last);
  return values;
}

LabelValues LabelsOf(const NamedRow& row) {
  LabelValues labels{row.name};
  labels.more = &row.labels;
  return labels;
}

prometheus::ClientMetric::Histogram HistogramOf(std::span<const std::uint64_t> buckets,
                                                std::span<const std::uint64_t> bounds_ns,
                                                std::uint64_t sum_ns) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.bucket.reserve(buckets.size());
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    histogram.sample_count += buckets[i];
    const double bound =
        i < bounds_ns.size() ? Seconds(bounds_ns[i]) : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, bound});
  }
  histogram.sample_sum = Seconds(sum_ns);
  return histogram;
}

MadeFamily Builder::Begin(const Family& family, std::size_t series) {
  MadeFamily made;
  made.family.name = family.name;
  made.family.help = family.help;
  made.family.type = family.type;
  made.family.metric.reserve(series);
  if (family.type != prometheus::MetricType::Gauge) {
    made.since_ns.reserve(series);
  }
  return made;
}

void Builder::Put(MadeFamily& to, const Family& family, LabelValues values, double value) {
  AddSeries(to, family, std::move(values)).gauge.value = value;
}

void Builder::PutCounter(MadeFamily& to, const Family& family, LabelValues values, double value,
                         std::uint64_t since_ns) {
  AddSeries(to, family, std::move(values)).counter.value = value;
  to.since_ns.push_back(since_ns);
}

void Builder::PutHistogram(MadeFamily& to, const Family& family, LabelValues values,
                           prometheus::ClientMetric::Histogram value, std::uint64_t since_ns) {
  AddSeries(to, family, std::move(values)).histogram = std::move(value);
  to.since_ns.push_back(since_ns);
}

void Builder::End(MadeFamily family) {
  if (!family.family.metric.empty()) {
    families_.push_back(std::move(family));
  }
}

void Builder::Single(const Family& family, double value) {
  MadeFamily made = Begin(family, 1);
  Put(made, family, {}, value);
  End(std::move(made));
}

void Builder::SingleCounter(const Family& family, double value, std::uint64_t since_ns) {
  MadeFamily made = Begin(family, 1);
  PutCounter(made, family, {}, value, since_ns);
  End(std::move(made));
}

void Builder::Labelled(const Family& family,
                       const std::vector<std::pair<std::string, double>>& values) {
  MadeFamily made = Begin(family, values.size());
  for (const auto& [label, value] : values) {
    Put(made, family, {label}, value);
  }
  End(std::move(made));
}

}  // namespace sched_exporter
