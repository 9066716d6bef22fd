// Cost of one run of the program on sched_switch, by the kernel's own run_time_ns / run_cnt, beside
// programs that are attached at the same time: an empty one, one store into an LRU hash, what a
// textbook would do, and the tools that people measure switches with. Budgets over the empty one:
// 25 ns net with hot caches (two tasks that play ping-pong), 350 ns net with cold ones (400 tasks
// that pass tokens round), half of cpudist, a quarter of runqlat.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exporter/kernel/programs.h"
#include "floors.skel.h"
#include "tests/bench/figures.h"
#include "tests/bench/loads.h"
#include "tests/bench/peer_tools.h"

namespace sched_exporter::test_support {
namespace {

/// One thing that is measured: a program, or all programs of a tool.
struct Measured {
  std::string name;
  std::string key;
  std::function<ProgramCost()> read;
};

/// Readings of one thing under one load, one for each window.
struct Readings {
  std::vector<double> runs;   ///< A switch.
  std::vector<double> gross;  ///< Nanoseconds a switch.
  std::vector<double> net;    ///< Without what the empty program would have taken as often.
};

/// By load, and within it by key.
using Loads = std::vector<std::pair<std::string, std::map<std::string, Readings>>>;

constexpr char kEmpty[] = "empty";
constexpr char kOurs[] = "on_switch";

ProgramCost ReadHook(const Programs& programs) {
  for (const ProgramStats& stats : programs.ReadProgramStats()) {
    if (stats.name == "on_switch") {
      return {static_cast<double>(stats.runs), static_cast<double>(stats.run_ns)};
    }
  }
  return {};
}

std::vector<ProgramCost> ReadAll(const std::vector<Measured>& all) {
  std::vector<ProgramCost> costs;
  for (const Measured& measured : all) {
    costs.push_back(measured.read());
  }
  return costs;
}

/// The empty program is the first of all: its runs are the switches.
void AddWindow(const std::vector<Measured>& all, const std::vector<ProgramCost>& before,
               const std::vector<ProgramCost>& after, std::map<std::string, Readings>& readings) {
  const double switches = after[0].runs - before[0].runs;
  const double empty_ns = (after[0].ns - before[0].ns) / switches;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double runs = (after[i].runs - before[i].runs) / switches;
    const double ns = (after[i].ns - before[i].ns) / switches;
    Readings& of = readings[all[i].key];
    of.runs.push_back(runs);
    of.gross.push_back(ns);
    of.net.push_back(ns - runs * empty_ns);
  }
}

/// Our net cost over another one's, window by window.
Spread OursOver(const std::map<std::string, Readings>& readings, const std::string& other) {
  std::vector<double> ratios;
  const std::vector<double>& ours = readings.at(kOurs).net;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ratios.push_back(ours[i] / readings.at(other).net[i]);
  }
  return SpreadOf(ratios);
}

void PrintReadings(const std::string& load, const std::vector<Measured>& all,
                   const std::map<std::string, Readings>& readings) {
  std::printf(
      "| %s | runs a switch | ns a switch, median | quartiles | least | net of empty, median | "
      "quartiles |\n|---|---|---|---|---|---|---|\n",
      load.c_str());
  for (const Measured& measured : all) {
    const Readings& of = readings.at(measured.key);
    const Spread gross = SpreadOf(of.gross);
    const Spread net = SpreadOf(of.net);
    std::printf("| %s | %.2f | %.1f | %s | %.1f | %.1f | %s |\n", measured.name.c_str(),
                SpreadOf(of.runs).median, gross.median, QuartilesText(gross, 1).c_str(),
                gross.least, net.median, QuartilesText(net, 1).c_str());
    RecordFigure("hook." + load + "." + measured.key + ".net_ns", net);
  }
  std::printf("\n");
}

/// Measures under one load; empty, with a line on stderr, where one of the programs did not run.
std::map<std::string, Readings> Measure(const std::string& load, const std::vector<Measured>& all,
                                        int windows) {
  constexpr unsigned kWindow_us = 500'000;
  std::map<std::string, Readings> readings;
  sleep(1);
  for (int i = 0; i < windows; ++i) {
    const std::vector<ProgramCost> before = ReadAll(all);
    usleep(kWindow_us);
    AddWindow(all, before, ReadAll(all), readings);
  }
  for (const Measured& measured : all) {
    if (!(SpreadOf(readings[measured.key].runs).median > 0)) {
      std::fprintf(stderr, "%s did not run\n", measured.name.c_str());
      return {};
    }
  }
  PrintReadings(load, all, readings);
  return readings;
}

/// Under both loads, whose names get this end; false where something did not run.
bool MeasureBoth(const std::vector<Measured>& all, int windows, const std::string& end_of_name,
                 Loads& loads) {
  constexpr int kRing = 400;
  constexpr int kTokens = 40;
  for (const std::string load : {"hot", "cold"}) {
    Gate end;
    const pid_t pid = load == "hot" ? PingPong(0, end) : TokenRing(kRing, kTokens, end);
    auto readings = Measure(load + end_of_name, all, windows);
    end.Open();
    Wait(pid);
    if (readings.empty()) {
      return false;
    }
    loads.emplace_back(load, std::move(readings));
  }
  return true;
}

/// A column for each of the others.
void PrintRatios(const Loads& loads, const std::vector<Measured>& others) {
  std::string head = "| net, median (quartiles) |";
  std::string line = "|---|";
  for (const Measured& other : others) {
    head += " ours : " + other.name + " |";
    line += "---|";
  }
  std::printf("%s\n%s\n", head.c_str(), line.c_str());
  for (const auto& [load, readings] : loads) {
    std::printf("| %s |", load.c_str());
    for (const Measured& other : others) {
      const Spread ratio = OursOver(readings, other.key);
      std::printf(" %.2f (%s) |", ratio.median, QuartilesText(ratio, 2).c_str());
      RecordFigure("hook." + load + ".over_" + other.key, ratio);
    }
    std::printf("\n");
  }
  std::printf("\n");
}

Measured Floor(const std::string& name, const std::string& key, const bpf_program* program) {
  return {name, key, [fd = bpf_program__fd(program)] { return ReadProgramCost({fd}); }};
}

/// Alone with an empty program and one store: what the budgets are about. Ours is attached first
/// and so runs first: it fetches what all of them read of a task.
bool MeasureAlone(const Measured& ours, const floors_bpf& floors, int windows) {
  bpf_link* links[] = {bpf_program__attach(floors.progs.empty),
                       bpf_program__attach(floors.progs.lru_store)};
  Loads loads;
  const bool done = MeasureBoth({Floor("empty", kEmpty, floors.progs.empty),
                                 Floor("one LRU store", "lru_store", floors.progs.lru_store), ours},
                                windows, "", loads);
  for (bpf_link* link : links) {
    bpf_link__destroy(link);
  }
  return done;
}

/// With all the others attached at the same time.
bool MeasureBeside(const Measured& ours, const floors_bpf& floors, int windows) {
  std::vector<Measured> others = {Floor("one LRU store", "lru_store", floors.progs.lru_store),
                                  Floor("textbook", "textbook", floors.progs.textbook)};
  std::vector<std::unique_ptr<PeerTool>> tools;
  for (const PeerCommand& command : PeerCommands()) {
    auto tool = PeerTool::Start(command);
    if (!tool) {
      std::fprintf(stderr, "%s\n", tool.error().message.c_str());
      return false;
    }
    others.push_back({command.name, command.key,
                      [fds = (*tool)->program_fds()] { return ReadProgramCost(fds); }});
    tools.push_back(std::move(*tool));
  }
  std::vector<Measured> all = {Floor("empty", kEmpty, floors.progs.empty), ours};
  all.insert(all.end(), others.begin(), others.end());
  Loads loads;
  if (!MeasureBoth(all, windows, ", beside all", loads)) {
    return false;
  }
  PrintRatios(loads, others);
  return true;
}

int Main(bool quick) {
  const auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return 1;
  }
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr) {
    std::fprintf(stderr, "cannot load the floors\n");
    return 1;
  }
  const Measured ours{"on_switch", kOurs, [&] { return ReadHook(**programs); }};
  const int windows = quick ? 4 : 20;
  const int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  const bool done = MeasureAlone(ours, *floors, windows) && floors_bpf__attach(floors) == 0 &&
                    MeasureBeside(ours, *floors, windows);
  close(stats_fd);
  floors_bpf__destroy(floors);
  return done ? 0 : 1;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
