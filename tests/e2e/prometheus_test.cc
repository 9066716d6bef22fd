// A real Prometheus scrapes the exporter, and its answers are held against the kernel's figures.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;

constexpr char kLoopComm[] = "prom-busy-loop";

double UnixTime() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// A process that takes all it can get of one CPU.
class BusyLoop {
 public:
  BusyLoop()
      : pid_(Fork([] {
          SetComm(kLoopComm);
          PinTo(0);
          Burn(std::chrono::hours(1));
          return true;
        })) {}
  ~BusyLoop() {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
  BusyLoop(const BusyLoop&) = delete;
  BusyLoop& operator=(const BusyLoop&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

/// Notes a process's CPU time from /proc/PID/schedstat again and again, so that it is known at
/// every moment.
class Truth {
 public:
  explicit Truth(pid_t pid) : thread_([this, pid] { Watch(pid); }) {}
  ~Truth() {
    stop_ = true;
    thread_.join();
  }
  Truth(const Truth&) = delete;
  Truth& operator=(const Truth&) = delete;

  /// CPU seconds a second between two moments in Unix time.
  double Rate(double from_s, double to_s) const {
    return (CpuAt(to_s) - CpuAt(from_s)) / (to_s - from_s);
  }

 private:
  void Watch(pid_t pid) {
    while (!stop_) {
      const double cpu_s = static_cast<double>(ReadSchedStat(pid).run_ns) / 1e9;
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        notes_.emplace_back(UnixTime(), cpu_s);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  /// On the straight line between the notes around that moment.
  double CpuAt(double time_s) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto after = std::lower_bound(notes_.begin() + 1, notes_.end() - 1,
                                        std::pair<double, double>(time_s, 0));
    const auto before = after - 1;
    const double slope = (after->second - before->second) / (after->first - before->first);
    return before->second + slope * (time_s - before->first);
  }

  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<std::pair<double, double>> notes_;
  std::thread thread_;
};

class Prometheus : public ::testing::Test {
 protected:
  void SetUp() override {
    Exporter::Settings settings;
    settings.config = "limits:\n  processes: 100000\n  groups: 100000\n";
    auto exporter = Exporter::Start(settings);
    ASSERT_TRUE(exporter) << exporter.error().message;
    exporter_ = std::move(*exporter);
    auto server = PrometheusServer::Start(exporter_->port());
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }

  /// `data.result` of an instant query.
  Json Query(const std::string& expression, double time_s = UnixTime()) const {
    const auto text = server_->Query(expression, time_s);
    EXPECT_TRUE(text) << text.error().message;
    const Json reply = Json::parse(text.value_or("{}"), nullptr, false);
    EXPECT_EQ(reply.value("status", ""), "success") << reply;
    return reply.is_object() && reply.contains("data") ? reply["data"]["result"] : Json::array();
  }

  /// The value of a query that has one; -1 where it has none.
  double Value(const std::string& expression, double time_s = UnixTime()) const {
    const Json result = Query(expression, time_s);
    return result.size() == 1 ? std::stod(result[0]["value"][1].get<std::string>()) : -1;
  }

  /// Waits until so many scrapes of the exporter have succeeded. Single ones may come too late
  /// where the machine has much else to do; Prometheus gives them a second.
  void WaitForScrapes(int count) const {
    const std::string counted = "sum_over_time(up[5m])";
    ASSERT_TRUE(WaitUntil([&] { return Value(counted) >= count; }, std::chrono::minutes(3)))
        << server_->Log();
  }

  const HostileProcesses hostile_;
  std::unique_ptr<Exporter> exporter_;
  std::unique_ptr<PrometheusServer> server_;
};

TEST_F(Prometheus, RateOfABusyLoopAgreesWithTheKernel) {
  const BusyLoop loop;
  const Truth truth(loop.pid());
  const std::string series =
      "sched_group_cpu_seconds_total{group=\"" + std::string(kLoopComm) + "\"}";
  // rate() is the slope between the first and the last sample in its window as long as it may
  // extend that slope to the window's ends: no sample is missing, and the counter began before.
  double now = 0;
  const auto window_is_full = [&] {
    now = UnixTime();
    return Value("min(count_over_time(" + series + "[10s]))", now) >= 10 &&
           Value("min(count_over_time(" + series + "[12s]))", now) >= 12;
  };
  ASSERT_TRUE(WaitUntil(window_is_full, std::chrono::minutes(3))) << server_->Log();
  const double rate = Value("sum(rate(" + series + "[10s]))", now);
  const Json samples = Query(series + "[10s]", now);
  ASSERT_EQ(samples.size(), 2U) << "user and system";
  const Json& values = samples[0]["values"];
  ASSERT_GE(values.size(), 10U);
  const double true_rate =
      truth.Rate(values.front()[0].get<double>(), values.back()[0].get<double>());
  EXPECT_GT(true_rate, 0);
  EXPECT_NEAR(rate / true_rate, 1, 0.02) << "rate " << rate << ", truth " << true_rate;
  RecordProperty("rate_over_truth", std::to_string(rate / true_rate));
}

TEST_F(Prometheus, TakesEveryScrapeWithHostileNames) {
  WaitForScrapes(5);
  EXPECT_TRUE(WaitUntil([this] { return Value("up") == 1; }));
  std::set<std::string> groups;
  for (const Json& result : Query("sched_group_processes")) {
    groups.insert(result["metric"]["group"].get<std::string>());
  }
  for (const HostileProcess& process : hostile_.all()) {
    EXPECT_EQ(groups.count(process.name.group), 1U) << process.name.group;
  }
  Json target;
  const bool is_up = WaitUntil([&] {
    const auto targets = server_->Get("/api/v1/targets");
    target = Json::parse(targets.value_or("{}"), nullptr, false);
    target = target["data"]["activeTargets"][0];
    return target["health"] == "up";
  });
  EXPECT_TRUE(is_up) << target;
}

TEST_F(Prometheus, DropsNoSample) {
  WaitForScrapes(5);
  EXPECT_EQ(Value("count(scrape_samples_scraped == scrape_samples_post_metric_relabeling)"), 1);
  const auto own = server_->OwnMetrics();
  ASSERT_TRUE(own) << own.error().message;
  for (const char* name : {"prometheus_target_scrapes_sample_duplicate_timestamp_total",
                           "prometheus_target_scrapes_sample_out_of_order_total",
                           "prometheus_target_scrapes_sample_out_of_bounds_total",
                           "prometheus_target_scrapes_exceeded_sample_limit_total"}) {
    EXPECT_EQ(own->Count(name), 1U) << name;
    EXPECT_EQ(own->Sum(name), 0) << name;
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
