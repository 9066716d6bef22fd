#pragma once

#include <cstdint>
#include <string>

#include "exporter/metrics/negotiation.h"
#include "exporter/metrics/series_sink.h"
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

/// Tells `sink` everything, family by family.
void AddSample(SeriesSink& sink, const Sample& sample);

/// `sample` in `format`. Names, labels and values of series are the same in all formats.
std::string Serialize(const Sample& sample, TextFormat format);

}  // namespace sched_exporter
