// A child from its start to its end (vfork and exec of a small static program, exit, wait) with the
// exporter over without it, in turns within one run. Budget: 1.02 of the time.
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/figures.h"
#include "tests/support/argv.h"
#include "tests/support/exporter.h"
#include "tests/support/starter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

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

struct Case {
  std::string name;
  std::string key;
  std::string config;
  std::vector<double> ratios = {};
};

/// One turn of a case, between two without an exporter. False where something can't be started.
bool TakeTurn(Case& measured, std::vector<double>& plain) {
  constexpr unsigned kDetach_us = 50'000;  // the kernel takes the programs away
  auto exporter = Exporter::Start({measured.config, {}, {}});
  if (!exporter) {
    std::fprintf(stderr, "%s\n", exporter.error().message.c_str());
    return false;
  }
  const double with = ChildMicroseconds();
  exporter->reset();
  usleep(kDetach_us);
  const double without = ChildMicroseconds();
  measured.ratios.push_back(2 * with / (plain.back() + without));
  plain.push_back(without);
  if (with == 0 || without == 0) {
    std::fprintf(stderr, "cannot start children\n");
    return false;
  }
  return true;
}

void Print(const Case& measured) {
  const Spread ratio = SpreadOf(measured.ratios);
  std::printf("| %s : nothing | %.4f | %s |\n", measured.name.c_str(), ratio.median,
              QuartilesText(ratio, 4).c_str());
  RecordFigure("exec." + measured.key + ".over_nothing", ratio);
}

int Main(bool quick) {
  const int rounds = quick ? 3 : 40;
  Case cases[] = {
      {"exporter", "exporter", ""},
      {"exporter with a stream", "stream", "events: {output: stdout}\n"},
      {"exporter, `events.exec_failures: off`", "no_failures", "events: {exec_failures: off}\n"}};
  std::vector<double> plain = {ChildMicroseconds()};
  for (int i = 0; i < rounds; ++i) {
    for (Case& measured : cases) {
      if (!TakeTurn(measured, plain)) {
        return 1;
      }
    }
  }
  const Spread without = SpreadOf(plain);
  std::printf("%.0f microseconds a child without (quartiles %s)\n\n", without.median,
              QuartilesText(without, 0).c_str());
  std::printf("| exec and exit | median | quartiles |\n|---|---|---|\n");
  for (const Case& measured : cases) {
    Print(measured);
  }
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
