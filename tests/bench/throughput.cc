// What loads lose: pipe ping-pong on one CPU, messages over sockets, and a storm of execs, each
// with nothing, an empty program on sched_switch, the exporter, and each of the tools that people
// measure switches with, in turns within one run. Budget: ping-pong with the exporter at 0.99.
#include <bpf/libbpf.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "floors.skel.h"
#include "tests/bench/figures.h"
#include "tests/bench/loads.h"
#include "tests/bench/peer_tools.h"
#include "tests/support/exporter.h"

namespace sched_exporter::test_support {
namespace {

using Clock = std::chrono::steady_clock;

struct Timing {
  int turns = 20;
  unsigned window_us = 400'000;
};
constexpr unsigned kSettle_us = 100'000;  // after something was attached or taken away

/// Something that is attached as long as it exists; null where that failed.
using Attached = std::shared_ptr<void>;

/// What is measured beside nothing.
struct Case {
  std::string name;
  std::string key;
  std::function<Attached()> attach;
  std::vector<double> over_nothing = {};
};

struct Load {
  std::string name;
  std::string key;
  std::string unit;
  std::function<pid_t(const Gate& end, volatile long* rounds)> start;
};

Attached AttachEmpty() {
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr) {
    std::fprintf(stderr, "cannot load the empty program\n");
    return nullptr;
  }
  bpf_link* link = bpf_program__attach(floors->progs.empty);
  return {floors, [link](floors_bpf* loaded) {
            bpf_link__destroy(link);
            floors_bpf__destroy(loaded);
          }};
}

/// `start` makes a Result of what is attached as long as it exists.
template <typename Start>
Attached OrComplain(const Start& start) {
  auto started = start();
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return nullptr;
  }
  return std::move(*started);
}

Attached AttachExporter(const std::string& config) {
  return OrComplain([&] { return Exporter::Start({config, {}, {}}); });
}

std::vector<Case> Cases() {
  std::vector<Case> cases = {{"empty program", "empty", AttachEmpty},
                             {"exporter", "exporter", [] { return AttachExporter(""); }},
                             {"exporter, `events.exec_failures: off`", "exporter_no_failures",
                              [] { return AttachExporter("events: {exec_failures: off}\n"); }}};
  for (const PeerCommand& command : PeerCommands()) {
    cases.push_back({command.name, command.key,
                     [&command] { return OrComplain([&] { return PeerTool::Start(command); }); }});
  }
  return cases;
}

/// Rounds a second.
double Rate(const volatile long& rounds, const Timing& timing) {
  usleep(kSettle_us);
  const long before = rounds;
  const auto begin = Clock::now();
  usleep(timing.window_us);
  const double elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  return static_cast<double>(rounds - before) / elapsed;
}

/// Each case between two times of nothing. False where a case can't be attached.
bool TakeTurns(std::vector<Case>& cases, const volatile long& rounds, const Timing& timing,
               std::vector<double>& nothing) {
  nothing.push_back(Rate(rounds, timing));
  for (int i = 0; i < timing.turns; ++i) {
    for (Case& measured : cases) {
      Attached attached = measured.attach();
      if (attached == nullptr) {
        return false;
      }
      const double with = Rate(rounds, timing);
      attached.reset();
      const double without = Rate(rounds, timing);
      measured.over_nothing.push_back(2 * with / (nothing.back() + without));
      nothing.push_back(without);
    }
  }
  return true;
}

void Print(const Load& load, const std::vector<Case>& cases, const std::vector<double>& nothing) {
  const Spread plain = SpreadOf(nothing);
  std::printf("%s: %s %s a second with nothing (quartiles %s to %s)\n\n", load.name.c_str(),
              GroupedText(static_cast<long>(plain.median)).c_str(), load.unit.c_str(),
              GroupedText(static_cast<long>(plain.lower)).c_str(),
              GroupedText(static_cast<long>(plain.upper)).c_str());
  std::printf(
      "| %s | over nothing, median | quartiles | over the empty program, median | quartiles |\n"
      "|---|---|---|---|---|\n",
      load.name.c_str());
  for (const Case& measured : cases) {
    std::vector<double> over_empty;
    for (std::size_t i = 0; i < measured.over_nothing.size(); ++i) {
      over_empty.push_back(measured.over_nothing[i] / cases[0].over_nothing[i]);
    }
    const Spread of_nothing = SpreadOf(measured.over_nothing);
    const Spread of_empty = SpreadOf(over_empty);
    std::printf("| %s | %.4f | %s | %.4f | %s |\n", measured.name.c_str(), of_nothing.median,
                QuartilesText(of_nothing, 4).c_str(), of_empty.median,
                QuartilesText(of_empty, 4).c_str());
    const std::string key = "throughput." + load.key + "." + measured.key;
    RecordFigure(key + ".over_nothing", of_nothing);
    RecordFigure(key + ".over_empty", of_empty);
  }
  std::printf("\n");
  std::fflush(stdout);
}

bool Measure(const Load& load, const Timing& timing) {
  Gate end;
  volatile long* rounds = SharedCounter();
  const pid_t pid = load.start(end, rounds);
  std::vector<Case> cases = Cases();
  std::vector<double> nothing;
  const bool taken = TakeTurns(cases, *rounds, timing, nothing);
  const bool done = EndLoad(pid, end) && taken;
  if (done) {
    Print(load, cases, nothing);
  }
  return done;
}

int Main(bool quick) {
  constexpr int kPairs = 10;
  const int cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  const Timing timing = quick ? Timing{3, 200'000} : Timing{};
  const Load loads[] = {
      {"pipe ping-pong", "ping_pong", "rounds of two switches",
       [](const Gate& end, volatile long* rounds) { return PingPong(0, end, rounds); }},
      {"messages", "messages", "messages of 100 bytes",
       [](const Gate& end, volatile long* rounds) { return Messages(kPairs, end, rounds); }},
      {"exec storm", "execs", "children",
       [=](const Gate& end, volatile long* rounds) { return ExecStorm(cpus, end, rounds); }}};
  for (const Load& load : loads) {
    if (!Measure(load, timing)) {
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
