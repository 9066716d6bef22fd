// Cost of one run of the program on sched_switch, by the kernel's own run_time_ns / run_cnt, beside
// programs that are attached at the same time: an empty one, one store into an LRU hash, what a
// textbook would do, and the tools that people measure switches with. Budgets over the empty one:
// 25 ns net with hot caches (two tasks that play ping-pong), 350 ns net with cold ones (400 tasks
// that pass tokens round), half of cpudist, a quarter of runqlat. With 4,000 tasks there is no
// budget.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <span>
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
  std::shared_ptr<void> attached;  ///< As long as that exists; null where it can't be.
};

/// Readings of one thing under one load, one for each window.
struct Readings {
  std::vector<double> runs;   ///< A switch.
  std::vector<double> gross;  ///< Nanoseconds a switch.
  std::vector<double> net;    ///< Without what the empty program would have taken as often.
};

using ReadingsByKey = std::map<std::string, Readings>;
/// By the load's name.
using Loads = std::vector<std::pair<std::string, ReadingsByKey>>;

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
               const std::vector<ProgramCost>& after, ReadingsByKey& readings) {
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
Spread OursOver(const ReadingsByKey& readings, const std::string& other) {
  std::vector<double> ratios;
  const std::vector<double>& ours = readings.at(kOurs).net;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ratios.push_back(ours[i] / readings.at(other).net[i]);
  }
  return SpreadOf(ratios);
}

void PrintReadings(const std::string& title, const std::vector<Measured>& all,
                   const ReadingsByKey& readings) {
  std::printf(
      "| %s | runs a switch | ns a switch, median | quartiles | least | net of empty, median | "
      "quartiles |\n|---|---|---|---|---|---|---|\n",
      title.c_str());
  for (const Measured& measured : all) {
    const Readings& of = readings.at(measured.key);
    const Spread gross = SpreadOf(of.gross);
    const Spread net = SpreadOf(of.net);
    std::printf("| %s | %.2f | %.1f | %s | %.1f | %.1f | %s |\n", measured.name.c_str(),
                SpreadOf(of.runs).median, gross.median, QuartilesText(gross, 1).c_str(),
                gross.least, net.median, QuartilesText(net, 1).c_str());
    RecordFigure("hook." + title + "." + measured.key + ".net_ns", net);
  }
  std::printf("\n");
}

/// Adds windows to `readings`; false, with a line on stderr, where something did not run.
bool MeasureWindows(const std::vector<Measured>& all, int windows, ReadingsByKey& readings) {
  constexpr unsigned kWindow_us = 500'000;
  for (int i = 0; i < windows; ++i) {
    const std::vector<ProgramCost> before = ReadAll(all);
    usleep(kWindow_us);
    AddWindow(all, before, ReadAll(all), readings);
  }
  for (const Measured& measured : all) {
    if (!(SpreadOf(readings[measured.key].runs).median > 0)) {
      std::fprintf(stderr, "%s did not run\n", measured.name.c_str());
      return false;
    }
  }
  return true;
}

/// Two tasks on one CPU; a ring of 400, which share each CPU's caches with much else; and one of
/// 4,000, which are more than a CPU remembers.
pid_t StartLoad(const std::string& name, const Gate& end) {
  if (name == "hot") {
    return PingPong(0, end);
  }
  return name == "cold" ? TokenRing(400, 40, end) : TokenRing(4'000, 400, end);
}

/// Runs `body` under each load, with the readings of each, which `loads` gets.
bool UnderEach(Loads& loads, const std::function<bool(ReadingsByKey&)>& body) {
  constexpr unsigned kStart_s = 2;
  loads = {{"hot", {}}, {"cold", {}}, {"4,000 tasks", {}}};
  for (auto& [load, readings] : loads) {
    Gate end;
    const pid_t pid = StartLoad(load, end);
    sleep(kStart_s);
    const bool done = body(readings);
    if (!EndLoad(pid, end) || !done) {
      return false;
    }
  }
  return true;
}

/// A column for each of those after the empty program and ours.
void PrintRatios(const std::string& title, const Loads& loads, const std::vector<Measured>& all) {
  constexpr std::size_t kFirst = 2;
  std::string head = "| " + title + ", net |";
  std::string line = "|---|";
  for (std::size_t i = kFirst; i < all.size(); ++i) {
    head += " ours : " + all[i].name + " |";
    line += "---|";
  }
  std::printf("%s\n%s\n", head.c_str(), line.c_str());
  for (const auto& [load, readings] : loads) {
    std::printf("| %s |", load.c_str());
    for (std::size_t i = kFirst; i < all.size(); ++i) {
      const Spread ratio = OursOver(readings, all[i].key);
      std::printf(" %.2f (%s) |", ratio.median, QuartilesText(ratio, 2).c_str());
      RecordFigure("hook." + load + ", " + title + ".over_" + all[i].key, ratio);
    }
    std::printf("\n");
  }
  std::printf("\n");
}

void PrintLoads(const std::string& title, const Loads& loads, const std::vector<Measured>& all) {
  for (const auto& [load, readings] : loads) {
    PrintReadings(load + ", " + title, all, readings);
  }
  PrintRatios(title, loads, all);
}

/// `program` as long as it is attached.
Measured AttachFloor(const std::string& name, const std::string& key, const bpf_program* program) {
  bpf_link* link = bpf_program__attach(program);
  return {name, key, [fd = bpf_program__fd(program)] { return ReadProgramCost({fd}); },
          link == nullptr ? nullptr : std::shared_ptr<void>(link, [](void* attached) {
            bpf_link__destroy(static_cast<bpf_link*>(attached));
          })};
}

Measured AttachOurs() {
  auto programs = Programs::Load(ProgramOptions{});
  if (!programs) {
    std::fprintf(stderr, "%s\n", programs.error().message.c_str());
    return {};
  }
  const std::shared_ptr<Programs> owner = std::move(*programs);
  return {"on_switch", kOurs, [owner = owner.get()] { return ReadHook(*owner); }, owner};
}

Measured AttachTool(const PeerCommand& command) {
  auto tool = PeerTool::Start(command);
  if (!tool) {
    std::fprintf(stderr, "%s\n", tool.error().message.c_str());
    return {};
  }
  const std::shared_ptr<PeerTool> owner = std::move(*tool);
  return {command.name, command.key, [fds = owner->program_fds()] { return ReadProgramCost(fds); },
          owner};
}

using Attach = std::function<Measured()>;

/// Ours first.
std::vector<Attach> Contenders(const floors_bpf& floors) {
  std::vector<Attach> all = {
      AttachOurs, [&] { return AttachFloor("one LRU store", "lru_store", floors.progs.lru_store); },
      [&] { return AttachFloor("textbook", "textbook", floors.progs.textbook); }};
  for (const PeerCommand& command : PeerCommands()) {
    all.push_back([&command] { return AttachTool(command); });
  }
  return all;
}

Measured AttachEmpty(const floors_bpf& floors) {
  return AttachFloor("empty", kEmpty, floors.progs.empty);
}

/// The empty program and these; empty where one can't be attached.
std::vector<Measured> AttachAll(const floors_bpf& floors, std::span<const Attach> contenders) {
  std::vector<Measured> all = {AttachEmpty(floors)};
  for (const Attach& attach : contenders) {
    all.push_back(attach());
    if (all.back().attached == nullptr) {
      return {};
    }
  }
  return all;
}

/// All of them attached at the same time. Ours runs first and so fetches what the others read of a
/// task, too.
bool MeasureTogether(const std::string& title, const floors_bpf& floors,
                     std::span<const Attach> contenders, int windows) {
  const std::vector<Measured> all = AttachAll(floors, contenders);
  Loads loads;
  if (all.empty() || !UnderEach(loads, [&](ReadingsByKey& readings) {
        return MeasureWindows(all, windows, readings);
      })) {
    return false;
  }
  PrintLoads(title, loads, all);
  return true;
}

/// One at a time beside the empty program, in turns: each pays for its own misses of caches.
bool MeasureInTurns(const floors_bpf& floors, std::span<const Attach> contenders, int turns) {
  std::vector<Measured> names = {AttachEmpty(floors)};
  names[0].attached.reset();
  Loads loads;
  const bool done = UnderEach(loads, [&](ReadingsByKey& readings) {
    names.resize(1);
    for (int i = 0; i < turns; ++i) {
      for (const Attach& attach : contenders) {
        const std::vector<Measured> pair = AttachAll(floors, {&attach, 1});
        if (pair.empty() || !MeasureWindows(pair, 1, readings)) {
          return false;
        }
        if (i == 0) {
          names.push_back({pair[1].name, pair[1].key, {}, nullptr});
        }
      }
    }
    return true;
  });
  if (done) {
    PrintLoads("in turns", loads, names);
  }
  return done;
}

int Main(bool quick) {
  floors_bpf* floors = floors_bpf__open_and_load();
  if (floors == nullptr) {
    std::fprintf(stderr, "cannot load the floors\n");
    return 1;
  }
  const std::vector<Attach> contenders = Contenders(*floors);
  const int windows = quick ? 4 : 20;
  const int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
  const bool done = MeasureTogether("alone", *floors, std::span(contenders).first(2), windows) &&
                    MeasureTogether("beside all", *floors, contenders, windows) &&
                    MeasureInTurns(*floors, contenders, quick ? 2 : 5);
  close(stats_fd);
  floors_bpf__destroy(floors);
  return done ? 0 : 1;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int argc, char** argv) {
  return sched_exporter::test_support::Main(sched_exporter::test_support::IsQuick(argc, argv));
}
