#include "exporter/metrics/exposition.h"

#include <atomic>
#include <set>

#include "exporter/metrics/distribution_metrics.h"
#include "exporter/metrics/lifecycle_metrics.h"
#include "exporter/metrics/offered.h"
#include "exporter/metrics/own_metrics.h"
#include "exporter/metrics/text_writer.h"
#include "exporter/metrics/view_metrics.h"

namespace sched_exporter {
namespace {

void AddHost(SeriesSink& sink, const Families& families, const Sample& sample) {
  const Report& report = sample.report;
  sink.Begin(families.cpu_busy);
  for (const CpuRow& row : report.cpus) {
    sink.PutCounter(RowLabels(families.cpu_busy, {std::to_string(row.cpu)}), Seconds(row.busy_ns),
                    report.since_ns);
  }
  sink.Begin(families.missed_switches);
  for (const CpuRow& row : report.cpus) {
    // Those before the first collection count as well.
    sink.PutCounter(RowLabels(families.missed_switches, {std::to_string(row.cpu)}),
                    Count(row.missed_switches), sample.stats.since_ns);
  }
  sink.SingleCounter(families.unattributed, Seconds(report.unattributed_ns), report.since_ns);
  sink.Single(families.tasks, Count(report.tasks));
}

void AddFamilies(SeriesSink& sink, const Families& families, const Sample& sample) {
  const NamedRows rows(families, sample.report);
  AddViews(sink, families, sample, rows);
  AddDistributions(sink, families, rows);
  AddLifecycles(sink, families, sample.report, rows);
  AddHost(sink, families, sample);
  AddOwn(sink, families, sample);
}

/// Texts of two scrapes are of much the same size: room for all of it at once.
class Room {
 public:
  std::size_t Needed() const { return last_ + last_ / 8; }
  void Note(const std::string& text) { last_ = text.size(); }

 private:
  std::atomic<std::size_t> last_ = 0;
};

}  // namespace

void AddSample(SeriesSink& sink, const Sample& sample) {
  static const Families families;
  if (sample.stats.mode == Mode::kPortable) {
    static const std::set<const Family*> omitted = NotInPortableMode(families);
    OmittingSink offered(sink, omitted);
    AddFamilies(offered, families, sample);
  } else {
    AddFamilies(sink, families, sample);
  }
}

std::string Serialize(const Sample& sample, TextFormat format) {
  static Room room;
  std::string text;
  text.reserve(room.Needed());
  TextWriter writer(text, format);
  if (sample.tells_created) {
    writer.TellCreated(sample.boot_unix_ns);
  }
  AddSample(writer, sample);
  writer.Finish();
  room.Note(text);
  return text;
}

}  // namespace sched_exporter
