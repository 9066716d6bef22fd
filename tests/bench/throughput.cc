// Pipe ping-pong with the exporter over without it, in turns within one run. Budget: at least 0.99.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <vector>

#include "exporter/kernel/programs.h"
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

int Main() {
  Gate end;
  volatile long* rounds = SharedCounter();
  const pid_t players = PingPong(0, end, rounds);
  std::vector<double> ratios;
  for (int i = 0; i < 40; ++i) {
    const double without_before = Rate(*rounds);
    double with = 0;
    {
      const auto programs = Programs::Load(ProgramOptions{});
      if (!programs) {
        std::fprintf(stderr, "%s\n", programs.error().message.c_str());
        return 1;
      }
      with = Rate(*rounds);
    }
    usleep(50'000);  // the kernel takes the programs away
    const double without_after = Rate(*rounds);
    ratios.push_back(2 * with / (without_before + without_after));
  }
  end.Open();
  Wait(players);
  std::sort(ratios.begin(), ratios.end());
  std::printf("throughput with : without, median of %zu pairs: %.4f (quartiles %.4f, %.4f)\n",
              ratios.size(), ratios[ratios.size() / 2], ratios[ratios.size() / 4],
              ratios[ratios.size() * 3 / 4]);
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main() { return sched_exporter::test_support::Main(); }
