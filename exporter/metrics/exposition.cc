#include "exporter/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include "exporter/metrics/lifecycle_metrics.h"
#include "exporter/metrics/own_metrics.h"
#include "exporter/metrics/view_metrics.h"

namespace sched_exporter {
namespace {

void AddHost(Builder& builder, const Families& families, const Report& report) {
  MetricFamily busy = Builder::Begin(families.cpu_busy, report.cpus.size());
  MetricFamily missed = Builder::Begin(families.missed_switches, report.cpus.size());
  for (const CpuRow& row : report.cpus) {
    Builder::Put(busy, families.cpu_busy, {std::to_string(row.cpu)}, Seconds(row.busy_ns));
    Builder::Put(missed, families.missed_switches, {std::to_string(row.cpu)},
                 Count(row.missed_switches));
  }
  builder.End(std::move(busy));
  builder.End(std::move(missed));
  builder.Single(families.unattributed, Seconds(report.unattributed_ns));
  builder.Single(families.tasks, Count(report.tasks));
}

}  // namespace

std::vector<prometheus::MetricFamily> SampleCollectable::Collect() const {
  static const Families families;
  Builder builder;
  AddViews(builder, families, *sample_);
  AddLifecycles(builder, families, sample_->report);
  AddHost(builder, families, sample_->report);
  AddOwn(builder, families, *sample_);
  return builder.Take();
}

std::string SerializeText(const prometheus::Collectable& collectable) {
  return prometheus::TextSerializer().Serialize(collectable.Collect());
}

}  // namespace sched_exporter
