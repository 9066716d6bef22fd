// A scrape with 10,000 sleeping processes: time, CPU and memory of this exporter, and beside it of
// Debian's prometheus-process-exporter in the same run. Budget: 30 ms at the median, 100 times less
// CPU than the other one, 32 MB resident.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

double CpuSeconds(pid_t pid) {
  double total = 0;
  // All threads: /proc/PID/schedstat is the leader's only, /proc/PID/stat has 10 ms steps.
  const std::string command = "cat /proc/" + std::to_string(pid) + "/task/*/schedstat";
  FILE* pipe = popen(command.c_str(), "r");
  unsigned long long run = 0;
  unsigned long long wait = 0;
  unsigned long long slices = 0;
  while (std::fscanf(pipe, "%llu %llu %llu", &run, &wait, &slices) == 3) {
    total += static_cast<double>(run) / 1e9;
  }
  pclose(pipe);
  return total;
}

double ResidentMb(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

void Measure(const char* name, pid_t pid, int port, const HeaderMap& headers, int scrapes) {
  std::vector<double> times;
  std::size_t bytes = 0;
  HttpGet(port, "/metrics", headers, std::chrono::seconds(60));
  const double cpu = CpuSeconds(pid);
  for (int i = 0; i < scrapes; ++i) {
    const auto begin = Clock::now();
    const auto reply = HttpGet(port, "/metrics", headers, std::chrono::seconds(60));
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    bytes = reply ? reply->body.size() : 0;
  }
  std::sort(times.begin(), times.end());
  std::printf("| %s | %.1f | %.1f | %.2f | %.1f | %zu |\n", name, times[times.size() / 2],
              times.back(), (CpuSeconds(pid) - cpu) * 1e3 / scrapes, ResidentMb(pid), bytes);
  std::fflush(stdout);
}

/// With the rules of Debian's package: every process by its name.
pid_t StartPeer(int port) {
  const std::string config = "/tmp/scrape_cost_peer." + std::to_string(getpid()) + ".yml";
  std::ofstream(config) << "process_names:\n  - name: \"{{.Comm}}\"\n    cmdline: [\".+\"]\n";
  const pid_t pid = fork();
  if (pid == 0) {
    const std::string address = "--web.listen-address=127.0.0.1:" + std::to_string(port);
    const std::string config_flag = "--config.path=" + config;
    if (std::freopen("/dev/null", "w", stderr) != nullptr) {
      execlp("prometheus-process-exporter", "prometheus-process-exporter", address.c_str(),
             config_flag.c_str(), nullptr);
    }
    _exit(127);
  }
  for (int i = 0; i < 600 && !HttpGet(port, "/"); ++i) {
    usleep(50'000);
  }
  unlink(config.c_str());
  return pid;
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

/// With a sample more for each counter.
void MeasureWithCreated(const HeaderMap& headers) {
  Exporter::Settings settings;
  settings.config = "openmetrics: {created: true}\n";
  const auto exporter = Exporter::Start(settings);
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return;
  }
  Measure("sched_exporter, OpenMetrics with created", (*exporter)->pid(), (*exporter)->port(),
          headers, 50);
}

/// The same scrape with rules: they are asked when processes appear.
void MeasureWithRules() {
  Exporter::Settings settings;
  settings.config = ManyRules();
  const auto exporter = Exporter::Start(settings);
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return;
  }
  const auto asked = [&] {
    return (*exporter)->Scrape()->Sum("sched_exporter_rule_evaluations_total");
  };
  // Once for each at the start, and once more a second later: titles have been written by then.
  sleep(2);
  asked();
  const double before = asked();
  Measure("sched_exporter, 100 rules", (*exporter)->pid(), (*exporter)->port(), {}, 50);
  std::printf("\nrules asked: %.0f times before 51 scrapes, %.0f times during them\n", before,
              asked() - before);
}

int Main(int processes) {
  Gate end;
  const pid_t sleepers = StartSleepers(processes, end);
  const auto exporter = Exporter::Start();
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return 1;
  }
  std::printf(
      "%d processes:\n| exporter | median, ms | worst, ms | CPU a scrape, ms | resident, MB "
      "| bytes |\n|---|---|---|---|---|---|\n",
      processes);
  const pid_t pid = (*exporter)->pid();
  Measure("sched_exporter, plain", pid, (*exporter)->port(), {}, 50);
  Measure("sched_exporter, gzip", pid, (*exporter)->port(), {{"Accept-Encoding", "gzip"}}, 50);
  const HeaderMap open_metrics{{"Accept", "application/openmetrics-text;version=1.0.0"}};
  Measure("sched_exporter, OpenMetrics", pid, (*exporter)->port(), open_metrics, 50);
  HeaderMap open_gzip = open_metrics;
  open_gzip["Accept-Encoding"] = "gzip";
  Measure("sched_exporter, OpenMetrics, gzip", pid, (*exporter)->port(), open_gzip, 50);
  MeasureWithCreated(open_metrics);
  MeasureWithRules();
  constexpr int kPeerPort = 19256;
  const pid_t peer = StartPeer(kPeerPort);
  Measure("prometheus-process-exporter", peer, kPeerPort, {}, 3);
  kill(peer, SIGKILL);
  Wait(peer);
  end.Open();
  Wait(sleepers);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(argc > 1 ? std::atoi(argv[1]) : 10'000);
}
