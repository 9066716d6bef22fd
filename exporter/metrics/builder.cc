#include "exporter/metrics/builder.h"

namespace sched_exporter {
namespace {

prometheus::ClientMetric& AddSeries(MetricFamily& to, const Family& family, LabelValues values) {
  prometheus::ClientMetric& metric = to.metric.emplace_back();
  metric.label.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    metric.label.push_back({family.labels[i], std::move(values[i])});
  }
  return metric;
}

}  // namespace

MetricFamily Builder::Begin(const Family& family, std::size_t series) {
  MetricFamily made;
  made.name = family.name;
  made.help = family.help;
  made.type = family.type;
  made.metric.reserve(series);
  return made;
}

void Builder::Put(MetricFamily& to, const Family& family, LabelValues values, double value) {
  prometheus::ClientMetric& metric = AddSeries(to, family, std::move(values));
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
}

void Builder::Put(MetricFamily& to, const Family& family, LabelValues values,
                  prometheus::ClientMetric::Histogram value) {
  AddSeries(to, family, std::move(values)).histogram = std::move(value);
}

void Builder::End(MetricFamily family) {
  if (!family.metric.empty()) {
    families_.push_back(std::move(family));
  }
}

void Builder::Single(const Family& family, double value) {
  MetricFamily made = Begin(family, 1);
  Put(made, family, {}, value);
  End(std::move(made));
}

void Builder::Labelled(const Family& family,
                       const std::vector<std::pair<std::string, double>>& values) {
  MetricFamily made = Begin(family, values.size());
  for (const auto& [label, value] : values) {
    Put(made, family, {label}, value);
  }
  End(std::move(made));
}

}  // namespace sched_exporter
