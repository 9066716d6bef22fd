// CPU of the exporter on a quiet machine with one scrape every 15 s. Budget: 0.1 % of one CPU.
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "tests/bench/figures.h"
#include "tests/support/exporter.h"

namespace sched_exporter::test_support {
namespace {

int Main(bool quick) {
  constexpr unsigned kPause_s = 15;
  const int pauses = quick ? 1 : 8;
  const auto exporter = Exporter::Start();
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return 1;
  }
  const auto cpu_s = [&] {
    const auto metrics = (*exporter)->Scrape();
    return metrics ? metrics->Sum("process_cpu_seconds_total") : 0;
  };
  std::vector<double> percents;
  double before_s = cpu_s();
  for (int i = 0; i < pauses; ++i) {
    sleep(kPause_s);
    const double after_s = cpu_s();
    percents.push_back(100 * (after_s - before_s) / kPause_s);
    before_s = after_s;
  }
  const Spread percent = SpreadOf(percents);
  std::printf("| of one CPU, with a scrape every 15 s | median | quartiles |\n|---|---|---|\n");
  std::printf("| over %u s | %.4f %% | %s |\n", kPause_s * static_cast<unsigned>(pauses),
              percent.median, QuartilesText(percent, 4).c_str());
  RecordFigure("idle.percent", percent);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
