// Histograms of timeslices and of run-queue latency: as they are served, against the kernel's own
// figures of tasks, and when they are switched off.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/cgroup_life.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kTimeslice[] = "timeslice_seconds";
constexpr char kLatency[] = "runqueue_latency_seconds";
constexpr int kBurners = 2;

SchedStat operator+(const SchedStat& a, const SchedStat& b) {
  return {a.run_ns + b.run_ns, a.wait_ns + b.wait_ns, a.timeslices + b.timeslices};
}

/// A value in memory that parent and children share.
template <typename T>
class Shared {
 public:
  Shared()
      : value_(static_cast<T*>(
            mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}
  ~Shared() { munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  T* value_;
};

/// Two processes that burn CPU time on one CPU and then sleep, under a parent that only waits. The
/// parent enters the cgroup by itself; the other two are born in it.
class Burners {
 public:
  explicit Burners(const CgroupDirectory& cgroup)
      : parent_(Fork([this, &cgroup] { return RunParent(cgroup); })) {
    for (int i = 0; i < kBurners; ++i) {
      done_[i].WaitFor();
    }
    EXPECT_TRUE(WaitUntil(
        [this] { return IsAsleep(parent_) && IsAsleep(Burner(0)) && IsAsleep(Burner(1)); }));
  }
  ~Burners() { End(); }
  Burners(const Burners&) = delete;
  Burners& operator=(const Burners&) = delete;

  /// The kernel's figures of all timeslices that ended in the cgroup: at least these. The timeslice
  /// in which the parent has entered ends there.
  SchedStat Least() const {
    SchedStat parent = ReadSchedStat(parent_);
    parent.run_ns -= inside_->run_ns;
    parent.wait_ns -= inside_->wait_ns;
    parent.timeslices -= inside_->timeslices - 1;
    return parent + ReadSchedStat(Burner(0)) + ReadSchedStat(Burner(1));
  }

  /// And at most these: with all that the parent did before.
  SchedStat Most() const {
    SchedStat parent = ReadSchedStat(parent_);
    parent.timeslices -= outside_->timeslices - 1;
    return parent + ReadSchedStat(Burner(0)) + ReadSchedStat(Burner(1));
  }

  /// Kills them.
  void End() {
    if (parent_ > 0) {
      kill(Burner(0), SIGKILL);
      kill(Burner(1), SIGKILL);
      Wait(parent_);
      parent_ = 0;
    }
  }

 private:
  pid_t Burner(int i) const { return (*pids_)[i]; }

  bool RunParent(const CgroupDirectory& cgroup) {
    *outside_ = ReadSchedStat(getpid());
    if (!cgroup.Add(0)) {
      return false;
    }
    *inside_ = ReadSchedStat(getpid());
    for (int i = 0; i < kBurners; ++i) {
      (*pids_)[i] = Fork([this, i] {
        PinTo(0);
        Burn(std::chrono::milliseconds(400));
        done_[i].Open();
        while (true) {
          pause();
        }
        return true;
      });
    }
    for (int i = 0; i < kBurners; ++i) {
      Wait(Burner(i));
    }
    return true;
  }

  std::array<Gate, kBurners> done_;
  Shared<SchedStat> outside_;  ///< The parent's, before it entered and after.
  Shared<SchedStat> inside_;
  Shared<std::array<pid_t, kBurners>> pids_;
  pid_t parent_;
};

class Distributions : public CgroupLife {
 protected:
  ServedHistogram Histogram(const CgroupDirectory& cgroup, const std::string& what) const {
    for (const auto& [labels, histogram] : HistogramsIn(last_, Series(what))) {
      if (labels.at("cgroup") == cgroup.label()) {
        return histogram;
      }
    }
    return {};
  }
  double Slices(const CgroupDirectory& cgroup) const {
    return Of(cgroup, std::string(kTimeslice) + "_count");
  }
};

/// `what` lies between the kernel's figures, but for the last digit of a double.
void ExpectBetween(double what, double least, double most) {
  constexpr double kRounding = 1e-9;
  EXPECT_GE(what, least * (1 - kRounding));
  EXPECT_LE(what, most * (1 + kRounding));
}

/// Sums of doubles are not as exact as the kernel's.
constexpr double kNanosecond = 1e-9;

double SecondsOf(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

TEST_P(Distributions, OfTwoOnOneCpuAreTheKernelsOwnFigures) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("burners"));
  const Burners burners(cgroup);
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return Slices(cgroup) >= static_cast<double>(burners.Least().timeslices);
  })) << Slices(cgroup);
  const SchedStat least = burners.Least();
  const SchedStat most = burners.Most();
  const ServedHistogram slices = Histogram(cgroup, kTimeslice);
  const ServedHistogram waits = Histogram(cgroup, kLatency);
  ExpectBetween(slices.count, static_cast<double>(least.timeslices),
                static_cast<double>(most.timeslices));
  EXPECT_EQ(waits.count, slices.count);
  EXPECT_GT(slices.count, 2 * kBurners) << "they took turns";
  ExpectBetween(slices.sum, SecondsOf(least.run_ns), SecondsOf(most.run_ns));
  ExpectBetween(waits.sum, SecondsOf(least.wait_ns), SecondsOf(most.wait_ns));
  EXPECT_TRUE(slices.HasPossibleSum());
  EXPECT_TRUE(waits.HasPossibleSum());
  // The counters have the timeslice in which the parent entered in its former cgroup.
  EXPECT_NEAR(slices.count, Of(cgroup, "timeslices_total"), 1);
  EXPECT_NEAR(slices.sum, Of(cgroup, "cpu_seconds_total"),
              SecondsOf(most.run_ns - least.run_ns) + kNanosecond);
  EXPECT_NEAR(waits.sum, Of(cgroup, "runqueue_wait_seconds_total"),
              SecondsOf(most.wait_ns - least.wait_ns) + kNanosecond);
}

TEST_P(Distributions, OfARemovedCgroupStayInTheSumAbove) {
  Start(std::string(kOnlyScrapes) + "0s}\n");
  const CgroupDirectory cgroup(GetParam(), Child("removed"));
  Burners burners(cgroup);
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return Slices(cgroup) >= static_cast<double>(burners.Least().timeslices);
  })) << Slices(cgroup);
  const ServedHistogram alive = Histogram(cgroup, kTimeslice);
  burners.End();
  ASSERT_TRUE(cgroup.Remove());
  // Their last switches may come a moment after they were reaped; what the parent did in the
  // timeslice in which it entered is in another cgroup's counters.
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    const double observed = RemovedIn(parent_.label(), std::string(kTimeslice) + "_count");
    const double counted = RemovedIn(parent_.label(), "timeslices_total");
    return !HasSeries(cgroup) && observed > alive.count && std::abs(observed - counted) <= 1;
  })) << last_.Sum(Removed("timeslices_total"), {{"cgroup", parent_.label()}});
  const auto removed = HistogramsIn(last_, Removed(kTimeslice));
  const auto found = removed.find({{"cgroup", parent_.label()}});
  ASSERT_NE(found, removed.end());
  // Each of the three was killed, or waited for, in at least one timeslice more.
  EXPECT_GE(found->second.count, alive.count + 3);
  for (std::size_t i = 0; i < alive.buckets.size(); ++i) {
    EXPECT_GE(found->second.buckets.at(i).second, alive.buckets[i].second);
  }
  EXPECT_TRUE(found->second.HasPossibleSum());
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Distributions, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& host) { return host.param.hierarchy; });

const std::array<std::string, 4> kFamilies{Series(kTimeslice), Series(kLatency),
                                           Removed(kTimeslice), Removed(kLatency)};

std::unique_ptr<Exporter> StartWith(const std::string& config) {
  auto exporter = Exporter::Start({config, {}, {}});
  EXPECT_TRUE(exporter) << exporter.error().message;
  return exporter ? std::move(*exporter) : nullptr;
}

MetricsText ScrapeOf(const Exporter& exporter) {
  auto scrape = exporter.Scrape();
  EXPECT_TRUE(scrape) << scrape.error().message;
  return scrape.value_or(MetricsText{});
}

/// What cgroups and removed cgroups have of a family, together.
double OfHost(const MetricsText& metrics, const std::string& what) {
  return metrics.Sum(Series(what)) + metrics.Sum(Removed(what));
}

/// Where the growth of the host's histograms and that of its counters differ by more than 5 %; one
/// line each. What runs or waits at either end is in the counters alone.
std::vector<std::string> HostDifferences(const MetricsText& from, const MetricsText& to) {
  constexpr double kTolerated = 0.05;
  std::vector<std::string> differences;
  for (const auto& [histogram, counter] :
       {std::pair{"timeslice_seconds_count", "timeslices_total"},
        std::pair{"runqueue_latency_seconds_count", "timeslices_total"},
        std::pair{"timeslice_seconds_sum", "cpu_seconds_total"},
        std::pair{"runqueue_latency_seconds_sum", "runqueue_wait_seconds_total"}}) {
    const double observed = OfHost(to, histogram) - OfHost(from, histogram);
    const double counted = OfHost(to, counter) - OfHost(from, counter);
    if (counted == 0 || std::abs(observed - counted) > kTolerated * counted) {
      differences.push_back(histogram + (": " + std::to_string(observed)) + " instead of " +
                            std::to_string(counted));
    }
  }
  return differences;
}

TEST(ServedDistributions, AreHistogramsAndGrowAsTheCountersOfTheHost) {
  const auto exporter = StartWith("limits: {cgroups: 100000}\n");
  ASSERT_NE(exporter, nullptr);
  const MetricsText first = ScrapeOf(*exporter);
  MetricsText last = first;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(SpawnMany("/bin/true", 100, 4));
    MetricsText next = ScrapeOf(*exporter);
    EXPECT_THAT(BackwardCounters(last, next), IsEmpty());
    for (const std::string& family : kFamilies) {
      EXPECT_THAT(HistogramFaults(next, family), IsEmpty());
    }
    last = std::move(next);
  }
  // Where the host does so much that finals find the buffer full, counters have them one scrape
  // later.
  std::vector<std::string> differences;
  EXPECT_TRUE(WaitUntil([&] {
    differences = HostDifferences(first, ScrapeOf(*exporter));
    return differences.empty();
  })) << testing::PrintToString(differences);
}

class HistogramsSwitch : public testing::Test {
 protected:
  void ReloadWith(const Exporter& exporter, const std::string& config) const {
    const auto outcomes = [&] {
      const std::string log = exporter.Log();
      std::size_t count = 0;
      for (auto at = log.find("config reloaded"); at != std::string::npos;
           at = log.find("config reloaded", at + 1)) {
        ++count;
      }
      return count;
    };
    const std::size_t before = outcomes();
    std::filesystem::rename(directory_.Write("config.yml", config), exporter.config_path());
    kill(exporter.pid(), SIGHUP);
    ASSERT_TRUE(WaitUntil([&] { return outcomes() > before; })) << exporter.Log();
  }

  static std::size_t Lines(const MetricsText& metrics, const std::string& what) {
    return metrics.Count(Series(what) + "_bucket") + metrics.Count(Removed(what) + "_bucket");
  }

  const TempDirectory directory_;
};

TEST_F(HistogramsSwitch, WhatIsOffIsNotServedAndComesBackWithoutAJump) {
  const auto exporter = StartWith("collection: {interval: 5s}\n");
  ASSERT_NE(exporter, nullptr);
  const MetricsText before = ScrapeOf(*exporter);
  EXPECT_GT(Lines(before, kTimeslice), 0U);
  EXPECT_GT(Lines(before, kLatency), 0U);
  ReloadWith(*exporter, "histograms: {timeslice: false}\n");
  MetricsText metrics = ScrapeOf(*exporter);
  EXPECT_EQ(Lines(metrics, kTimeslice), 0U);
  EXPECT_GT(Lines(metrics, kLatency), 0U);
  ReloadWith(*exporter, "histograms: {timeslice: false, runqueue_latency: false}\n");
  metrics = ScrapeOf(*exporter);
  EXPECT_EQ(Lines(metrics, kTimeslice), 0U);
  EXPECT_EQ(Lines(metrics, kLatency), 0U);
  ReloadWith(*exporter, "");
  metrics = ScrapeOf(*exporter);
  EXPECT_GT(Lines(metrics, kTimeslice), 0U);
  EXPECT_THAT(BackwardCounters(before, metrics), IsEmpty());
  EXPECT_EQ(exporter->Log().find("after a restart"), std::string::npos);
}

TEST_F(HistogramsSwitch, WhereAllWereOffAtTheStartARestartIsNeeded) {
  const auto exporter = StartWith("histograms: {timeslice: false, runqueue_latency: false}\n");
  ASSERT_NE(exporter, nullptr);
  ReloadWith(*exporter, "");
  EXPECT_THAT(exporter->Log(), HasSubstr("histograms were all off at the start"));
  const MetricsText metrics = ScrapeOf(*exporter);
  EXPECT_EQ(Lines(metrics, kTimeslice), 0U);
  EXPECT_EQ(Lines(metrics, kLatency), 0U);
}

}  // namespace
}  // namespace sched_exporter::test_support
