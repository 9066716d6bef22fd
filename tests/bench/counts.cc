// The counts that guard.sh holds against counts.txt. `hook` prints those of the BPF program. Each
// other part does always the same work within MeasuredWork(), for callgrind to count.
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>

#include "exporter/http/server.h"
#include "tests/bench/hook_counts.h"
#include "tests/bench/synthetic_work.h"

/// The name that guard.sh gives callgrind.
extern "C" [[gnu::noinline]] void MeasuredWork(const std::function<void()>& work) {
  work();
  asm volatile("" ::: "memory");  // so that this is no jump, which callgrind takes for the end
}

namespace sched_exporter::test_support {
namespace {

bool PrintHook() {
  const auto counts = CountHook();
  if (!counts) {
    std::fprintf(stderr, "%s\n", counts.error().message.c_str());
    return false;
  }
  for (const NamedCount& named : *counts) {
    std::printf("%s %llu\n", named.name.c_str(), static_cast<unsigned long long>(named.count));
  }
  return true;
}

bool ApplySweeps() {
  SyntheticHost host;
  const Snapshot snapshots[] = {host.NextSnapshot(), host.NextSnapshot(), host.NextSnapshot()};
  MeasuredWork([&] {
    for (const Snapshot& snapshot : snapshots) {
      host.ledger().Apply(snapshot);
    }
  });
  return host.ledger().process_count() >= 1000;
}

bool MakeReports() {
  SyntheticHost host;
  std::shared_ptr<const Sample> sample;
  MeasuredWork([&] { sample = host.MakeSample(); });
  return sample->report.processes.size() == 1000 && sample->report.cgroups.size() == 100;
}

bool WriteText(TextFormat format) {
  SyntheticHost host;
  const auto sample = host.MakeSample();
  std::string text;
  MeasuredWork([&] { text = Serialize(*sample, format); });
  return text.size() > 500'000;
}

bool Compress() {
  SyntheticHost host;
  const std::string text = Serialize(*host.MakeSample(), TextFormat::kOpenMetrics);
  std::size_t bytes = 0;
  MeasuredWork([&] { bytes = Gzip(text).value_or("").size(); });
  return bytes > 0 && bytes < text.size() / 5;
}

bool Run(const std::string& part) {
  if (part == "hook") return PrintHook();
  if (part == "ledger_apply") return ApplySweeps();
  if (part == "ledger_report") return MakeReports();
  if (part == "text_classic") return WriteText(TextFormat::kClassic);
  if (part == "text_openmetrics") return WriteText(TextFormat::kOpenMetrics);
  if (part == "gzip") return Compress();
  std::fprintf(stderr, "no part %s\n", part.c_str());
  return false;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return argc == 2 && sched_exporter::test_support::Run(argv[1]) ? 0 : 1;
}
