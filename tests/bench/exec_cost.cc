// A child from its start to its end (vfork and exec of a small static program, exit, wait) with the
// exporter over without it, in turns within one run. Budget: 1.02 of the time.
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/argv.h"
#include "tests/support/exporter.h"
#include "tests/support/starter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

double Quantile(std::vector<double> values, double quantile) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(static_cast<double>(values.size()) * quantile)];
}

/// What a child costs in microseconds, on one CPU; the exporter may use all. Of a third of a second
/// that of the fastest twentieth: the others wait for what else the machine does, or share a core
/// with it.
double ChildMicroseconds() {
  constexpr std::chrono::milliseconds kTime{333};
  cpu_set_t all;
  sched_getaffinity(0, sizeof(all), &all);
  PinTo(0);
  std::vector<std::string> words = {ChildProgram(), "-1", "exit", "0"};
  const std::vector<char*> argv = Argv(words);
  std::vector<double> times;
  const auto begin = Clock::now();
  auto now = begin;
  while (now - begin < kTime) {
    pid_t pid = 0;
    // glibc's posix_spawn is vfork, in effect: CLONE_VM | CLONE_VFORK.
    if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) != 0 || Wait(pid) != 0) {
      return 0;
    }
    const auto last = std::exchange(now, Clock::now());
    times.push_back(std::chrono::duration<double, std::micro>(now - last).count());
  }
  sched_setaffinity(0, sizeof(all), &all);
  return Quantile(times, 0.05);
}

double WithExporter(const std::string& config) {
  const auto exporter = Exporter::Start({config, {}, {}});
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return 0;
  }
  return ChildMicroseconds();
}

struct Case {
  const char* name;
  std::string config;
  std::vector<double> ratios = {};
};

void Print(const Case& measured) {
  std::printf("| %s : nothing | %.4f | %.4f to %.4f |\n", measured.name,
              Quantile(measured.ratios, 0.5), Quantile(measured.ratios, 0.25),
              Quantile(measured.ratios, 0.75));
}

int Main() {
  constexpr int kRounds = 40;
  constexpr unsigned kDetach_us = 50'000;  // the kernel takes the programs away
  Case cases[] = {{"exporter", ""},
                  {"exporter with stream", "events: {output: stdout}\n"},
                  {"exporter without failed execs", "events: {exec_failures: off}\n"}};
  std::vector<double> plain = {ChildMicroseconds()};
  for (int i = 0; i < kRounds; ++i) {
    for (Case& measured : cases) {
      const double with = WithExporter(measured.config);
      usleep(kDetach_us);
      const double without = ChildMicroseconds();
      measured.ratios.push_back(2 * with / (plain.back() + without));
      plain.push_back(without);
    }
  }
  std::printf("%.0f microseconds a child without\n", Quantile(plain, 0.5));
  std::printf("| exec and exit | median | quartiles |\n|---|---|---|\n");
  for (const Case& measured : cases) {
    Print(measured);
  }
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() { return sched_exporter::test_support::Main(); }
