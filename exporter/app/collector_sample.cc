// What the collector tells a scrape.

#include "exporter/app/buffer_stats.h"
#include "exporter/app/collector.h"
#include "exporter/app/report_labels.h"
#include "exporter/app/self_stats.h"
#include "exporter/app/version.h"

namespace sched_exporter {

std::shared_ptr<const Sample> Collector::MakeSample() {
  auto sample = std::make_shared<Sample>();
  ledger_->SettleFolded();
  sample->report = ledger_->MakeReport();
  ledger_->NoteTold();
  AddDetails(sample->report, details_, *naming_);
  OmitLabels(labels_, sample->report);
  OmitHistograms(histograms_, sample->report);
  stats_.version = kVersion;
  NoteBuffers(*source_, new_cgroups_, stats_);
  NoteStream(stream_ != nullptr ? stream_->stats() : EventWriter::Stats{}, stats_);
  stats_.programs = source_->ReadProgramStats();
  stats_.self = ReadSelfStats();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.reload_successful = reload_successful_;
    stats_.reload_unix_ns = reload_unix_ns_;
  }
  sample->stats = OwnCounts();
  sample->boot_unix_ns = boot_time_.Steady(BootUnixNs());
  sample->tells_created = openmetrics_.created;
  return sample;
}

}  // namespace sched_exporter
