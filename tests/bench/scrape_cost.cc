// A scrape as sleeping processes grow from 100 to 10,000, and with 100,000 threads: time, CPU and
// memory of this exporter, and in the same run of Debian's prometheus-process-exporter. Budget with
// 10,000: 30 ms at the median, 100 times less CPU than the other one, 32 MB resident; 128 MB with
// 100,000 tasks.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/figures.h"
#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/peer_configs.h"
#include "tests/support/peer_exporter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

/// How much is measured.
struct Effort {
  int scrapes = 50;
  int peer_scrapes = 5;
  std::chrono::seconds patience_at_most{180};  ///< With the peer at the most tasks.
};

struct Target {
  std::string name;
  std::string key;  ///< In names of figures; empty: not written there.
  pid_t pid = -1;
  int port = 0;
  HeaderMap headers = {};
};

/// What scrapes cost.
struct Scrapes {
  std::vector<double> times_ms;
  std::vector<double> cpu_ms;
  double resident_mb = 0;
  std::size_t bytes = 0;
};

const HeaderMap kGzip{{"Accept-Encoding", "gzip"}};
const HeaderMap kOpenMetrics{{"Accept", "application/openmetrics-text;version=1.0.0"}};
/// What Prometheus asks for.
const HeaderMap kOpenMetricsGzip{{"Accept", "application/openmetrics-text;version=1.0.0"},
                                 {"Accept-Encoding", "gzip"}};

double CpuMs(pid_t pid) { return static_cast<double>(ReadProcessSchedStat(pid).run_ns) / 1e6; }

double ResidentMb(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

void PrintHead() {
  std::printf(
      "| tasks | exporter | time, ms, median | quartiles | worst | CPU, ms, median | quartiles | "
      "resident, MB | bytes |\n|---|---|---|---|---|---|---|---|---|\n");
}

/// False where it did not answer in time.
bool Scrape(const Target& target, std::chrono::seconds patience, Scrapes& scrapes) {
  const double cpu_ms = CpuMs(target.pid);
  const auto begin = Clock::now();
  const auto reply = HttpGet(target.port, "/metrics", target.headers, patience);
  if (!reply || reply->status != 200) {
    return false;
  }
  scrapes.times_ms.push_back(
      std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  scrapes.cpu_ms.push_back(CpuMs(target.pid) - cpu_ms);
  scrapes.resident_mb = ResidentMb(target.pid);
  scrapes.bytes = reply->body.size();
  return true;
}

void Print(long tasks, const Target& target, const Scrapes& scrapes) {
  const Spread times = SpreadOf(scrapes.times_ms);
  const Spread cpu = SpreadOf(scrapes.cpu_ms);
  std::printf("| %s | %s | %.1f | %s | %.1f | %.2f | %s | %.1f | %s |\n",
              GroupedText(tasks).c_str(), target.name.c_str(), times.median,
              QuartilesText(times, 1).c_str(), times.most, cpu.median,
              QuartilesText(cpu, 2).c_str(), scrapes.resident_mb,
              GroupedText(static_cast<long>(scrapes.bytes)).c_str());
  std::fflush(stdout);
  if (!target.key.empty()) {
    const std::string key = "scrape." + std::to_string(tasks) + "." + target.key;
    RecordFigure(key + ".time_ms", times);
    RecordFigure(key + ".cpu_ms", cpu);
    RecordFigure(key + ".resident_mb", scrapes.resident_mb);
  }
}

/// The first one warms up. False where one failed, with a line on stderr.
bool Measure(long tasks, const Target& target, int count, Scrapes& scrapes) {
  Scrapes first;
  bool done = Scrape(target, std::chrono::seconds(60), first);
  for (int i = 0; done && i < count; ++i) {
    done = Scrape(target, std::chrono::seconds(60), scrapes);
  }
  if (!done) {
    std::fprintf(stderr, "%s did not answer\n", target.name.c_str());
    return false;
  }
  Print(tasks, target, scrapes);
  return true;
}

Target TargetOf(const Exporter& exporter, const std::string& name, const std::string& key,
                const HeaderMap& headers) {
  return {name, key, exporter.pid(), exporter.port(), headers};
}

std::unique_ptr<Exporter> StartOurs(const std::string& config) {
  Exporter::Settings settings;
  settings.config = config;
  auto exporter = Exporter::Start(settings);
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return nullptr;
  }
  return std::move(*exporter);
}

/// The peer with the largest number of tasks: one scrape, if it ends in time.
void MeasureSlowPeer(long tasks, const Target& target, std::chrono::seconds patience) {
  Scrapes scrapes;
  if (Scrape(target, patience, scrapes)) {
    Print(tasks, target, scrapes);
    return;
  }
  std::printf("| %s | %s | over %lld | | | over %.2f | | %.1f | |\n", GroupedText(tasks).c_str(),
              target.name.c_str(), static_cast<long long>(patience.count()) * 1000,
              CpuMs(target.pid), ResidentMb(target.pid));
}

/// Both exporters with so many sleepers, which have been started. `peer` has not been scraped yet.
bool MeasureBoth(long tasks, bool is_most, const PeerExporter& peer, const Effort& effort) {
  const auto exporter = StartOurs("");
  Scrapes plain;
  Scrapes wanted;
  if (exporter == nullptr ||
      !Measure(tasks, TargetOf(*exporter, "sched_exporter", "ours", {}), effort.scrapes, plain) ||
      !Measure(tasks,
               TargetOf(*exporter, "sched_exporter, OpenMetrics with gzip", "", kOpenMetricsGzip),
               effort.scrapes, wanted)) {
    return false;
  }
  const Target target{"prometheus-process-exporter", "peer", peer.pid(), peer.port()};
  if (is_most) {
    MeasureSlowPeer(tasks, target, effort.patience_at_most);
    return true;
  }
  Scrapes of_peer;
  if (!Measure(tasks, target, effort.peer_scrapes, of_peer)) {
    return false;
  }
  const Spread peer_cpu = SpreadOf(of_peer.cpu_ms);
  const double ours = SpreadOf(plain.cpu_ms).median;
  RecordFigure("scrape." + std::to_string(tasks) + ".peer_over_ours_cpu",
               Spread{peer_cpu.median / ours, peer_cpu.lower / ours, peer_cpu.upper / ours,
                      peer_cpu.least / ours, peer_cpu.most / ours});
  return true;
}

/// Rules that the sleepers don't match, each an expression on the whole command line, and a last
/// one that they do.
std::string ManyRules() {
  std::string config = "process_names:\n";
  for (int i = 1; i < 100; ++i) {
    config += "  - name: service" + std::to_string(i) + "\n    cmdline: ['service-" +
              std::to_string(i) + "\\s.*--config']\n";
  }
  return config + "  - name: '{{.Comm}}'\n    cmdline: ['.+']\n";
}

/// How often rules were asked for a process's group.
double RulesAsked(const Exporter& exporter) {
  const auto metrics = exporter.Scrape();
  return metrics ? metrics->Sum("sched_exporter_rule_evaluations_total") : 0;
}

/// Rules are asked when processes appear, not at scrapes.
bool MeasureWithRules(long tasks, const Effort& effort) {
  const auto exporter = StartOurs(ManyRules());
  if (exporter == nullptr) {
    return false;
  }
  // Once for each at the start, and once more a second later: titles have been written by then.
  sleep(2);
  RulesAsked(*exporter);
  const double before = RulesAsked(*exporter);
  Scrapes scrapes;
  const Target target = TargetOf(*exporter, "sched_exporter, 100 rules", "rules", {});
  if (!Measure(tasks, target, effort.scrapes, scrapes)) {
    return false;
  }
  std::printf("\nRules were asked %.0f times before these scrapes and %.0f times during them.\n",
              before, RulesAsked(*exporter) - before);
  return true;
}

/// Other formats and configs, each with an exporter of its own.
bool MeasureVariants(long tasks, const Effort& effort) {
  struct Variant {
    std::string name;
    std::string config;
    HeaderMap headers;
  };
  const Variant variants[] = {
      {"classic", "", {}},
      {"classic, gzip", "", kGzip},
      {"OpenMetrics", "", kOpenMetrics},
      {"OpenMetrics, gzip", "", kOpenMetricsGzip},
      {"OpenMetrics with `openmetrics.created`", "openmetrics: {created: true}\n", kOpenMetrics}};
  Gate end;
  const pid_t sleepers = StartSleepers(static_cast<int>(tasks), end);
  sleep(1);
  std::printf("\n");
  PrintHead();
  bool done = true;
  for (const Variant& variant : variants) {
    const auto exporter = StartOurs(variant.config);
    Scrapes scrapes;
    done = done && exporter != nullptr &&
           Measure(tasks, TargetOf(*exporter, variant.name, "", variant.headers), effort.scrapes,
                   scrapes);
  }
  done = done && MeasureWithRules(tasks, effort);
  end.Open();
  Wait(sleepers);
  return done;
}

bool MeasureSize(long tasks, bool is_most, const Effort& effort) {
  // Before the sleepers, so that it serves at once.
  const auto peer = PeerExporter::Start(kPackaged, {});
  if (!peer) {
    std::fprintf(stderr, "%s\n", peer.error().message.c_str());
    return false;
  }
  Gate end;
  const auto count = static_cast<int>(tasks);
  const pid_t sleepers = is_most ? StartSleepingThreads(count, end) : StartSleepers(count, end);
  sleep(1 + static_cast<unsigned>(count) / 20'000);  // until the last one sleeps
  const bool done = MeasureBoth(tasks, is_most, **peer, effort);
  end.Open();
  Wait(sleepers);
  return done;
}

/// Raised as long as this exists.
class PidMax {
 public:
  explicit PidMax(long value) {
    std::ifstream(kPath) >> former_;
    std::ofstream(kPath) << std::max(value, former_);
  }
  ~PidMax() { std::ofstream(kPath) << former_; }
  PidMax(const PidMax&) = delete;
  PidMax& operator=(const PidMax&) = delete;

 private:
  static constexpr char kPath[] = "/proc/sys/kernel/pid_max";
  long former_ = 0;
};

int Main(bool quick) {
  constexpr long kWithVariants = 10'000;
  constexpr long kMost = 100'000;
  const PidMax room(4 * kMost);
  const Effort effort = quick ? Effort{10, 1, std::chrono::seconds(20)} : Effort{};
  PrintHead();
  for (const long tasks : {100L, 1'000L, kWithVariants, kMost}) {
    if (!MeasureSize(tasks, tasks == kMost, effort)) {
      return 1;
    }
  }
  return MeasureVariants(kWithVariants, effort) ? 0 : 1;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
