// Pipe ping-pong on one CPU with the exporter over without it, in turns within one run, and beside
// it with an empty program: what the kernel takes for any program on sched_switch. Budget: 0.99.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "exporter/kernel/programs.h"
#include "floors.skel.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

double Rate(const volatile long& rounds) {
  const long before = rounds;
  const auto begin = Clock::now();
  usleep(300'000);
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  return static_cast<double>(rounds - before) / elapsed;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Print(const char* what, const std::vector<double>& ratios) {
  std::vector<double> sorted = ratios;
  std::sort(sorted.begin(), sorted.end());
  std::printf("| %s | %.4f | %.4f to %.4f |\n", what, Median(ratios), sorted[sorted.size() / 4],
              sorted[sorted.size() * 3 / 4]);
}

/// The rate with only an empty program on sched_switch; 0 where it can't be loaded.
double RateWithEmpty(const volatile long& rounds) {
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr) {
    return 0;
  }
  bpf_link* link = bpf_program__attach(floors->progs.empty);
  const double rate = Rate(rounds);
  bpf_link__destroy(link);
  floors_bpf__destroy(floors);
  return rate;
}

double RateWithExporter(const volatile long& rounds) {
  const auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return 0;
  }
  return Rate(rounds);
}

int Main() {
  constexpr int kRounds = 40;
  constexpr unsigned kDetach_us = 50'000;  // the kernel takes the programs away
  Gate end;
  volatile long* rounds = SharedCounter();
  const pid_t players = PingPong(0, end, rounds);
  std::vector<double> empty;
  std::vector<double> exporter;
  std::vector<double> over_empty;
  double without = Rate(*rounds);
  for (int i = 0; i < kRounds; ++i) {
    const double with_empty = RateWithEmpty(*rounds);
    usleep(kDetach_us);
    const double with_exporter = RateWithExporter(*rounds);
    usleep(kDetach_us);
    const double without_after = Rate(*rounds);
    const double mean = (without + without_after) / 2;
    empty.push_back(with_empty / mean);
    exporter.push_back(with_exporter / mean);
    over_empty.push_back(with_exporter / with_empty);
    without = without_after;
  }
  end.Open();
  Wait(players);
  std::printf("%.0f rounds a second without, two switches each\n", without);
  std::printf("| throughput | median | quartiles |\n|---|---|---|\n");
  Print("empty program : nothing", empty);
  Print("exporter : nothing", exporter);
  Print("exporter : empty program", over_empty);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() { return sched_exporter::test_support::Main(); }
