#include "exporter/metrics/exposition.h"

#include <prometheus/text_serializer.h>

#include <atomic>

#include "exporter/metrics/distribution_metrics.h"
#include "exporter/metrics/lifecycle_metrics.h"
#include "exporter/metrics/openmetrics.h"
#include "exporter/metrics/own_metrics.h"
#include "exporter/metrics/view_metrics.h"

namespace sched_exporter {
namespace {

void AddHost(Builder& builder, const Families& families, const Sample& sample) {
  const Report& report = sample.report;
  MadeFamily busy = Builder::Begin(families.cpu_busy, report.cpus.size());
  MadeFamily missed = Builder::Begin(families.missed_switches, report.cpus.size());
  for (const CpuRow& row : report.cpus) {
    Builder::PutCounter(busy, families.cpu_busy, {std::to_string(row.cpu)}, Seconds(row.busy_ns),
                        report.since_ns);
    // Those before the first collection count as well.
    Builder::PutCounter(missed, families.missed_switches, {std::to_string(row.cpu)},
                        Count(row.missed_switches), sample.stats.since_ns);
  }
  builder.End(std::move(busy));
  builder.End(std::move(missed));
  builder.SingleCounter(families.unattributed, Seconds(report.unattributed_ns), report.since_ns);
  builder.Single(families.tasks, Count(report.tasks));
}

std::vector<MadeFamily> MakeFamilies(const Sample& sample) {
  static const Families families;
  Builder builder;
  AddViews(builder, families, sample);
  AddDistributions(builder, families, sample.report);
  AddLifecycles(builder, families, sample.report);
  AddHost(builder, families, sample);
  AddOwn(builder, families, sample);
  return builder.Take();
}

/// Texts of two scrapes are of much the same size: room for all of it at once.
class Room {
 public:
  std::size_t Needed() const { return last_ + last_ / 8; }
  void Note(const std::string& text) { last_ = text.size(); }

 private:
  std::atomic<std::size_t> last_ = 0;
};

std::string SerializeOpenMetrics(const Sample& sample) {
  static Room room;
  std::string text;
  text.reserve(room.Needed());
  OpenMetricsWriter writer(text);
  for (MadeFamily& made : MakeFamilies(sample)) {
    if (!sample.tells_created) {
      made.since_ns.clear();
    }
    for (std::uint64_t& since_ns : made.since_ns) {
      since_ns += sample.boot_unix_ns;
    }
    writer.Add(made.family, made.since_ns);
  }
  writer.Finish();
  room.Note(text);
  return text;
}

}  // namespace

std::vector<MetricFamily> SampleCollectable::Collect() const {
  std::vector<MadeFamily> made = MakeFamilies(*sample_);
  std::vector<MetricFamily> families;
  families.reserve(made.size());
  for (MadeFamily& family : made) {
    families.push_back(std::move(family.family));
  }
  return families;
}

std::string SerializeText(const prometheus::Collectable& collectable) {
  return prometheus::TextSerializer().Serialize(collectable.Collect());
}

std::string Serialize(std::shared_ptr<const Sample> sample, TextFormat format) {
  return format == TextFormat::kClassic ? SerializeText(SampleCollectable(std::move(sample)))
                                        : SerializeOpenMetrics(*sample);
}

}  // namespace sched_exporter
