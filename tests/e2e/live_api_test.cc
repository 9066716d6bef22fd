// /api/v1/top against the kernel's own figures; what both pages of the API do with hostile names,
// mistakes and switches.

#include "tests/support/live_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/http_client.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using testing::HasSubstr;

/// Steps of a second.
constexpr char kShortSteps[] = "live: {history: 1m}\n";

Json Top(const Exporter& exporter, const std::string& query) {
  return GetJson(exporter, "/api/v1/top?" + query);
}

const Json* RowOfPid(const Json& answer, pid_t pid) {
  for (const Json& row : answer["rows"]) {
    if (row["pid"] == pid) {
      return &row;
    }
  }
  return nullptr;
}

/// One step as the exporter has seen it, with the kernel's figures of the same process around it.
struct SeenStep {
  double time = 0;
  double window = 0;
  Json row;
};

/// Waits for a new step in which the process has a row.
SeenStep NextStep(const Exporter& exporter, const std::string& sort, pid_t pid, double after) {
  SeenStep seen;
  EXPECT_TRUE(WaitUntil([&] {
    const Json answer = Top(exporter, "view=process&count=100&sort=" + sort);
    if (!answer["time"].is_number() || answer["time"] <= after) {
      return false;
    }
    const Json* const row = RowOfPid(answer, pid);
    if (row == nullptr) {
      return false;
    }
    seen = {answer["time"], answer["window_seconds"], *row};
    return true;
  }));
  return seen;
}

double UnixNow() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The kernel's figures at a moment.
struct Reading {
  double time = 0;
  SchedStat stat;
};

/// Readings of a process every few milliseconds, to tell what it had at the ends of steps.
class Sampler {
 public:
  explicit Sampler(pid_t pid) : pid_(pid) {}
  void Take() { readings_.push_back({UnixNow(), ReadProcessSchedStat(pid_)}); }

  /// What was added between two times, between readings in a straight line.
  double Between(double from, double to, std::uint64_t SchedStat::*figure) const {
    return At(to, figure) - At(from, figure);
  }

 private:
  double At(double time, std::uint64_t SchedStat::*figure) const {
    for (std::size_t i = 1; i < readings_.size(); ++i) {
      const Reading& a = readings_[i - 1];
      const Reading& b = readings_[i];
      if (b.time >= time) {
        const double part = b.time > a.time ? (time - a.time) / (b.time - a.time) : 0;
        const auto x = static_cast<double>(a.stat.*figure);
        return (x + part * (static_cast<double>(b.stat.*figure) - x)) / 1e9;
      }
    }
    ADD_FAILURE() << "no reading so late";
    return 0;
  }

  pid_t pid_;
  std::vector<Reading> readings_;
};

pid_t StartBurner(int cpu) {
  return Fork([cpu] {
    PinTo(cpu);
    SetComm("live-burner");
    while (true) {
      Burn(std::chrono::milliseconds(10));
    }
    return true;
  });
}

void End(pid_t pid) {
  kill(pid, SIGKILL);
  Wait(pid);
}

/// The history of a process by time, of the steps that have one.
std::vector<std::pair<double, double>> HistoryOf(const Json& answer, const Json& row,
                                                 const char* rate) {
  const Json& times = answer["host"]["history"]["time"];
  const Json& values = row["history"][rate];
  EXPECT_EQ(times.size(), values.size());
  std::vector<std::pair<double, double>> history;
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (values[i].is_number()) {
      history.emplace_back(times[i], values[i]);
    }
  }
  return history;
}

TEST(LiveApi, CpuAndWaitAreTheKernelsOwnOverTheSameSteps) {
  const auto exporter = StartExporter(kShortSteps);
  ASSERT_NE(exporter, nullptr);
  // Two on one CPU: each waits as long as the other runs.
  const pid_t burner = StartBurner(0);
  const pid_t other = StartBurner(0);
  Sampler sampler(burner);
  const double begin = UnixNow();
  Json answer;
  EXPECT_TRUE(WaitUntil([&] {
    sampler.Take();
    answer = Top(*exporter, "view=process&count=100&sort=wait");
    return answer["time"].is_number() && answer["time"] > begin + 5 &&
           RowOfPid(answer, burner) != nullptr;
  }));
  sampler.Take();
  const Json* const row = RowOfPid(answer, burner);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ((*row)["name"], "live-burner");
  EXPECT_EQ((*row)["group"], "live-burner");
  for (const auto& [rate, figure] :
       {std::pair{"cpu", &SchedStat::run_ns}, std::pair{"wait", &SchedStat::wait_ns}}) {
    double told = 0;
    double from = 0;
    double to = 0;
    for (const auto& [time, value] : HistoryOf(answer, *row, rate)) {
      if (to > begin + 0.5) {
        from = from == 0 ? to : from;
        told += value * (time - to);
      }
      to = time;
    }
    ASSERT_GT(to - from, 3);
    const double truth = sampler.Between(from, to, figure);
    // A reading of the exporter is a moment after the time of its step, and /proc tells of a task
    // that runs what it had at the last tick: 4 ms, and a sweep, at both ends.
    EXPECT_NEAR(told, truth, 0.03 * truth + 0.06) << rate;
    EXPECT_GT(truth, 0.2) << rate;
  }
  End(burner);
  End(other);
}

TEST(LiveApi, ABusyProcessIsFirstAndTheHostKnowsIt) {
  const auto exporter = StartExporter(kShortSteps);
  ASSERT_NE(exporter, nullptr);
  const pid_t burner = StartBurner(1);
  const SeenStep first = NextStep(*exporter, "cpu", burner, UnixNow() + 1);
  EXPECT_GT(first.row["cpu"], 0.05);
  EXPECT_NEAR(first.window, 1, 0.5);
  const Json answer = Top(*exporter, "view=process&count=1");
  EXPECT_EQ(answer["rows"].size(), 1U);
  EXPECT_GE(answer["rows"][0]["cpu"], first.row["cpu"].get<double>() / 2);
  EXPECT_LE(answer["host"]["cpu"], static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN)) + 0.1);
  EXPECT_GE(answer["host"]["cpu"].get<double>() + 0.1, answer["rows"][0]["cpu"]);
  EXPECT_EQ(answer["cpus"], sysconf(_SC_NPROCESSORS_ONLN));
  const Json filtered = Top(*exporter, "view=process&group=live-burner");
  ASSERT_EQ(filtered["total"], 1);
  EXPECT_EQ(filtered["rows"][0]["pid"], burner);
  End(burner);
}

/// What was counted in the steps of the history: rates times the lengths of their steps.
double CountIn(const Json& answer, const Json& row, const char* rate) {
  const Json& times = answer["host"]["history"]["time"];
  const Json& values = row["history"][rate];
  double count = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double step = times[i].get<double>() - times[i - 1].get<double>();
    count += values[i].is_number() ? values[i].get<double>() * step : 0;
  }
  return count;
}

TEST(LiveApi, StartsOfABurstAreItsCount) {
  const auto exporter = StartExporter(kShortSteps);
  ASSERT_NE(exporter, nullptr);
  EXPECT_TRUE(WaitUntil([&] { return Top(*exporter, "")["time"].is_number(); }));
  Starter::Options options;
  options.children = 500;
  Starter starter(options);
  const auto report = starter.Run();
  ASSERT_TRUE(report) << report.error().message;
  const double ended = UnixNow();
  Json answer;
  EXPECT_TRUE(WaitUntil([&] {
    answer = Top(*exporter, "sort=starts&count=100");
    return answer["time"] > ended;
  }));
  double starts = 0;
  for (const Json& row : answer["rows"]) {
    if (row["name"].get<std::string>().starts_with(starter.comm())) {
      starts += CountIn(answer, row, "starts");
    }
  }
  // Two more at the most: the exec of the starter itself is in its group, too.
  const double counted =
      static_cast<double>(report->counts.forks) + static_cast<double>(report->counts.Execs());
  EXPECT_NEAR(starts, counted, 0.001 * counted + 2);
  EXPECT_GT(counted, 800);
}

std::string PercentEncoded(const std::string& text) {
  std::string encoded;
  for (const char byte : text) {
    std::array<char, 4> hex{};
    std::snprintf(hex.data(), hex.size(), "%%%02X", static_cast<unsigned char>(byte));
    encoded += hex.data();
  }
  return encoded;
}

TEST(LiveApi, HostileNamesAreValidJson) {
  const HostileProcesses processes;
  const auto exporter = StartExporter("live: {history: 1m}\nlimits: {processes: 100000}\n");
  ASSERT_NE(exporter, nullptr);
  EXPECT_TRUE(WaitUntil([&] { return Top(*exporter, "")["time"].is_number(); }));
  for (const char* view : {"group", "cgroup", "process"}) {
    Top(*exporter, std::string("count=100&sort=name&view=") + view);
  }
  for (const HostileProcess& process : processes.all()) {
    const Json answer =
        Top(*exporter, "view=process&count=100&group=" + PercentEncoded(process.name.group));
    const Json* const row = RowOfPid(answer, process.pid);
    ASSERT_NE(row, nullptr) << process.name.group;
    EXPECT_EQ((*row)["name"], process.name.comm);
  }
  GetJson(*exporter, "/api/v1/events?count=500");
}

TEST(LiveApi, WhatIsOffAnswers404AndCanBeSwitchedOnAndOff) {
  const auto exporter = StartExporter("live: {top: false, events: false}\n");
  ASSERT_NE(exporter, nullptr);
  const auto status = [&](const char* target) { return Get(*exporter, target).status; };
  EXPECT_EQ(status("/api/v1/top"), 404);
  EXPECT_EQ(status("/api/v1/events"), 404);
  EXPECT_THAT(Get(*exporter, "/api/v1/top").body, HasSubstr("live.top is off"));
  const Ended top =
      RunProgram({ExporterBinary(), "top", "http://127.0.0.1:" + std::to_string(exporter->port())});
  EXPECT_EQ(top.exit_code, 1);
  EXPECT_THAT(top.output, HasSubstr("live.top is off"));
  const auto reload = [&](const std::string& config) {
    std::ofstream(exporter->config_path()) << config;
    kill(exporter->pid(), SIGHUP);
  };
  reload(kShortSteps);
  EXPECT_TRUE(WaitUntil([&] { return status("/api/v1/top") == 200; }));
  EXPECT_TRUE(WaitUntil([&] { return Top(*exporter, "")["time"].is_number(); }));
  RunProgram({ChildProgram(), "-1", "exit", "3"});
  EXPECT_TRUE(WaitUntil([&] { return !GetJson(*exporter, "/api/v1/events")["events"].empty(); }));
  reload("live: {history: 2m}\n");
  EXPECT_TRUE(WaitUntil([&] { return Top(*exporter, "")["step_seconds"] == 2; }));
  reload("live: {top: false, events: false}\n");
  EXPECT_TRUE(
      WaitUntil([&] { return status("/api/v1/top") == 404 && status("/api/v1/events") == 404; }));
  EXPECT_TRUE(exporter->Scrape());
}

TEST(LiveApi, MistakesAreToldWithWhatWouldBeRight) {
  const auto exporter = StartExporter("");
  ASSERT_NE(exporter, nullptr);
  for (const char* target : {"/api/v1/top?view=pods", "/api/v1/top?count=101", "/api/v1/top?x=1",
                             "/api/v1/top?view", "/api/v1/top?view=process&sort=starts",
                             "/api/v1/events?count=501", "/api/v1/events?view=group"}) {
    const HttpReply reply = Get(*exporter, target);
    EXPECT_EQ(reply.status, 400) << target;
    EXPECT_THAT(Json::parse(reply.body, nullptr, false).value("error", ""), HasSubstr("expected"))
        << target;
  }
  const auto post = HttpSend("POST", exporter->port(), "/api/v1/top");
  ASSERT_TRUE(post);
  EXPECT_EQ(post->status, 405);
}

}  // namespace
}  // namespace sched_exporter::test_support
