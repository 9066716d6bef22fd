// CPU of the exporter on a quiet machine with one scrape every 15 s. Budget: 0.1 % of one CPU.
#include <unistd.h>

#include <cstdio>

#include "tests/support/exporter.h"

int main() {
  using sched_exporter::test_support::Exporter;
  constexpr int kScrapes = 4;
  constexpr int kPause_s = 15;
  const auto exporter = Exporter::Start();
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return 1;
  }
  const auto cpu = [&] {
    const auto metrics = (*exporter)->Scrape();
    return metrics ? metrics->Sum("process_cpu_seconds_total") : 0;
  };
  const double before = cpu();
  for (int i = 0; i < kScrapes; ++i) {
    sleep(kPause_s);
    if (i + 1 < kScrapes) {
      cpu();
    }
  }
  std::printf("%.4f %% of one CPU over %d s\n", 100 * (cpu() - before) / (kScrapes * kPause_s),
              kScrapes * kPause_s);
  return 0;
}
