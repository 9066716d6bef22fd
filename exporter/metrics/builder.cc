#include "exporter/metrics/builder.h"

namespace sched_exporter {
namespace {

prometheus::ClientMetric& AddSeries(MetricFamily& to, const Family& family, LabelValues values) {
  prometheus::ClientMetric& metric = to.metric.emplace_back();
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
