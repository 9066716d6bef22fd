// SIGHUP reads the config again: what changes, what is refused, and that no scrape notices.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kSuccessful[] = "sched_exporter_config_last_reload_successful";
constexpr char kTimestamp[] = "sched_exporter_config_last_reload_success_timestamp_seconds";

std::string LimitedTo(int processes) {
  return "limits:\n  processes: " + std::to_string(processes) + "\n";
}

int Occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

class Reload : public ::testing::Test {
 protected:
  void SetUp() override {
    Exporter::Settings settings;
    settings.config = LimitedTo(100'000);
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// Replaces the file as editors do, sends SIGHUP, and waits until the log tells the outcome.
  void ReloadWith(const std::string& config) {
    const std::string file = exporter_->config_path();
    const std::string fresh = directory_.Write("config.yml", config);
    std::filesystem::rename(fresh, file);
    const int before = Outcomes();
    kill(exporter_->pid(), SIGHUP);
    ASSERT_TRUE(WaitUntil([&] { return Outcomes() > before; })) << exporter_->Log();
  }

  int Outcomes() const {
    const std::string log = exporter_->Log();
    return Occurrences(log, "msg=\"config reloaded") +
           Occurrences(log, "msg=\"config not reloaded");
  }

  MetricsText Scrape() const {
    auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    return scrape ? *scrape : MetricsText();
  }

  const TempDirectory directory_;
  std::unique_ptr<Exporter> exporter_;
};

/// Processes that only sleep, so that there are some to have series.
class Sleepers {
 public:
  explicit Sleepers(int count) {
    for (int i = 0; i < count; ++i) {
      pids_.push_back(Fork([] { return pause() == 0; }));
    }
  }
  ~Sleepers() {
    for (const pid_t pid : pids_) {
      kill(pid, SIGKILL);
      Wait(pid);
    }
  }
  Sleepers(const Sleepers&) = delete;
  Sleepers& operator=(const Sleepers&) = delete;

 private:
  std::vector<pid_t> pids_;
};

TEST_F(Reload, GoodFileChangesTheLimits) {
  const Sleepers sleepers(10);
  EXPECT_GT(Scrape().Count("sched_process_threads"), 10U);
  ReloadWith(LimitedTo(3));
  const MetricsText limited = Scrape();
  EXPECT_EQ(limited.Count("sched_process_threads"), 4U) << "three and other";
  EXPECT_EQ(limited.Count("sched_process_threads", {{"pid", "other"}}), 1U);
  EXPECT_GE(limited.Sum("sched_exporter_folded_series", {{"view", "process"}}), 7);
  ReloadWith(LimitedTo(100'000));
  EXPECT_GT(Scrape().Count("sched_process_threads"), 10U);
}

TEST_F(Reload, BrokenFileLeavesTheOldConfigAndSaysWhereItIsBroken) {
  ReloadWith(LimitedTo(3));
  const double good_since = Scrape().Sum(kTimestamp);
  ReloadWith(LimitedTo(0));
  const MetricsText after = Scrape();
  EXPECT_EQ(after.Sum(kSuccessful), 0);
  EXPECT_EQ(after.Sum(kTimestamp), good_since);
  EXPECT_EQ(after.Count("sched_process_threads"), 4U) << "the old limit holds";
  EXPECT_THAT(exporter_->Log(),
              HasSubstr("level=error msg=\"config not reloaded, the old one holds: " +
                        exporter_->config_path() +
                        ":2:14: limits.processes: expected an integer from 1 to 100000, got "
                        "\\\"0\\\"\"\n"));
}

TEST_F(Reload, EachMistakeIsALineOfTheLog) {
  ReloadWith("limits:\n  processes: 0\n  groups: no\n");
  ASSERT_TRUE(WaitUntil([this] { return Occurrences(exporter_->Log(), ":3:11: ") == 1; }));
  EXPECT_EQ(Occurrences(exporter_->Log(), "level=error"), 2) << exporter_->Log();
}

TEST_F(Reload, MissingFileLeavesTheOldConfig) {
  std::filesystem::remove(exporter_->config_path());
  kill(exporter_->pid(), SIGHUP);
  EXPECT_TRUE(WaitUntil([this] { return Scrape().Sum(kSuccessful) == 0; }));
  EXPECT_THAT(exporter_->Log(), HasSubstr("cannot open config file " + exporter_->config_path() +
                                          ": No such file or directory"));
}

TEST_F(Reload, GoodFileAfterABrokenOneIsTaken) {
  EXPECT_EQ(Scrape().Sum(kSuccessful), 1);
  const double started = Scrape().Sum(kTimestamp);
  ReloadWith("limits: [\n");
  EXPECT_EQ(Scrape().Sum(kSuccessful), 0);
  ReloadWith(LimitedTo(5));
  EXPECT_EQ(Scrape().Sum(kSuccessful), 1);
  EXPECT_GT(Scrape().Sum(kTimestamp), started);
  EXPECT_EQ(Scrape().Count("sched_process_threads"), 6U);
}

TEST_F(Reload, SizesOfMapsWaitForARestartAndThatIsSaid) {
  const double size = Scrape().Sum("sched_exporter_map_max_entries", {{"map", "tasks"}});
  ReloadWith("maps:\n  tasks: 1024\n");
  EXPECT_THAT(exporter_->Log(), HasSubstr("level=warn msg=\"config reloaded; changes of maps, "
                                          "events, cgroup and persistence need a restart\""));
  const MetricsText after = Scrape();
  EXPECT_EQ(after.Sum(kSuccessful), 1);
  EXPECT_EQ(after.Sum("sched_exporter_map_max_entries", {{"map", "tasks"}}), size);
}

/// Scrapes without a pause and compares each scrape with the one before.
class Watcher {
 public:
  explicit Watcher(const Exporter& exporter) : thread_([&] { Watch(exporter); }) {}
  ~Watcher() {
    stop_ = true;
    thread_.join();
  }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  int scrapes() const { return scrapes_; }

  std::vector<std::string> Problems() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return problems_;
  }

 private:
  void Watch(const Exporter& exporter) {
    std::optional<MetricsText> earlier;
    while (!stop_) {
      auto scrape = exporter.Scrape();
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!scrape) {
        problems_.push_back(scrape.error().message);
        continue;
      }
      const auto backward =
          earlier ? BackwardCounters(*earlier, *scrape) : std::vector<std::string>();
      problems_.insert(problems_.end(), backward.begin(), backward.end());
      earlier = std::move(*scrape);
      ++scrapes_;
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> scrapes_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> problems_;
  std::thread thread_;
};

/// Groups that are others each time, but for one.
std::string NamedAndLimited(int i) {
  return LimitedTo(1 + i * 7 % 40) +
         "process_names:\n"
         "  - comm: [steady]\n"
         "    name: steady\n"
         "  - cmdline: ['.+']\n"
         "    name: '{{.Comm}} " +
         std::to_string(i % 3) + "'\n";
}

/// Uses CPU time until it is killed.
pid_t StartSteady() {
  return Fork([] {
    SetComm("steady");
    while (true) {
      Burn(std::chrono::milliseconds(10));
    }
    return true;
  });
}

TEST_F(Reload, HundredReloadsUnderLoadDisturbNoScrape) {
  const Sleepers sleepers(20);
  ReloadWith(NamedAndLimited(0));
  const pid_t steady = StartSteady();
  const pid_t load = Fork([] {
    SetComm("reload-load");
    while (SpawnMany("/bin/true", 50, 4)) {
      Burn(std::chrono::milliseconds(10));
    }
    return true;
  });
  const Watcher watcher(*exporter_);
  for (int i = 1; i <= 100; ++i) {
    ReloadWith(i % 10 == 0 ? "limits:\n  processes: none\n" : NamedAndLimited(i));
    ASSERT_FALSE(HasFatalFailure());
  }
  const int so_far = watcher.scrapes();
  EXPECT_TRUE(WaitUntil([&] { return watcher.scrapes() > so_far + 1; }));
  EXPECT_THAT(watcher.Problems(), IsEmpty());
  EXPECT_EQ(Occurrences(exporter_->Log(), "msg=\"config not reloaded"), 10);
  EXPECT_EQ(Occurrences(exporter_->Log(), "msg=\"config reloaded"), 91);
  const auto before_ns = static_cast<double>(ReadProcessSchedStat(steady).run_ns);
  const double counted_ns =
      Scrape().Sum("sched_group_cpu_seconds_total", {{"group", "steady"}}) * 1e9;
  const auto after_ns = static_cast<double>(ReadProcessSchedStat(steady).run_ns);
  EXPECT_GE(counted_ns, before_ns * 0.999) << "a reload reset the group, or lost some of it";
  EXPECT_LE(counted_ns, after_ns * 1.001) << "it counted something twice";
  kill(steady, SIGKILL);
  Wait(steady);
  kill(load, SIGKILL);
  Wait(load);
}

}  // namespace
}  // namespace sched_exporter::test_support
