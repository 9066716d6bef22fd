#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/metrics/negotiation.h"
#include "exporter/model/exporter_stats.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// Everything that one scrape tells.
struct Sample {
  Report report;
  ExporterStats stats;
  /// CLOCK_REALTIME less CLOCK_BOOTTIME: turns start times into Unix time.
  std::uint64_t boot_unix_ns = 0;
  bool tells_created = false;  ///< In OpenMetrics: since when each series counts.
};

/// Turns a sample into metric families. This is the one place where nanoseconds become seconds.
class SampleCollectable : public prometheus::Collectable {
 public:
  explicit SampleCollectable(std::shared_ptr<const Sample> sample) : sample_(std::move(sample)) {}

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::shared_ptr<const Sample> sample_;
};

/// The text exposition format 0.0.4 of what `collectable` has.
std::string SerializeText(const prometheus::Collectable& collectable);

/// `sample` in `format`. Names, labels and values of series are the same in all formats.
std::string Serialize(std::shared_ptr<const Sample> sample, TextFormat format);

}  // namespace sched_exporter
