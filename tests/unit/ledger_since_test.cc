// Since when each series counts: it moves exactly when a counter begins anew at 0.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/sim_kernel.h"
#include "tests/support/told_naming.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::Process;
using test_support::SimKernel;
using test_support::SimOptions;
using test_support::Who;
using testing::IsEmpty;

constexpr std::uint64_t kNone = 0;

class LedgerSince : public test_support::LedgerNames {
 protected:
  /// Of sweep `n`, the seed being the first.
  static std::uint64_t TimeOf(std::uint32_t n) { return kSeedNs + (n - 1) * kSecond; }

  static std::uint64_t Of(const std::vector<NamedRow>& rows, const std::string& name) {
    for (const NamedRow& row : rows) {
      if (row.name == name) {
        return row.since_ns;
      }
    }
    return kNone;
  }
  std::uint64_t OfGroup(const std::string& name) const {
    return Of(ledger_.MakeReport().groups, name);
  }
  std::uint64_t OfCgroup(const std::string& path) const {
    return Of(ledger_.MakeReport().cgroups, path);
  }
  std::uint64_t OfRemoved(const std::string& path) const {
    return Of(ledger_.MakeReport().removed_cgroups, path);
  }
  std::uint64_t OfProcess(std::uint32_t pid) const {
    for (const ProcessRow& row : ledger_.MakeReport().processes) {
      if (row.pid == pid) {
        return row.since_ns;
      }
    }
    return kNone;
  }
  /// So many sweeps in which nothing lives; each is read.
  void PassAndTell(int sweeps) {
    for (int i = 0; i < sweeps; ++i) {
      ledger_.NoteTold();
      Living({});
    }
  }
  void LimitTo(std::uint32_t processes, std::uint32_t cgroups) {
    limits_.processes = processes;
    limits_.cgroups = cgroups;
    ledger_.set_limits(limits_);
  }
};

TEST_F(LedgerSince, WhatTheSeedMetCountsSinceTheSeed) {
  const Who old = Process(1, 11, 5 * kSecond);
  Living({old.Has(100)});
  Living({old.Has(107)});
  const Report report = ledger_.MakeReport();
  EXPECT_EQ(report.since_ns, kSeedNs);
  EXPECT_EQ(report.processes.at(0).since_ns, kSeedNs);
  EXPECT_EQ(report.groups.at(0).since_ns, kSeedNs);
  EXPECT_EQ(report.cgroups.at(0).since_ns, kSeedNs);
  for (const OtherRow* other :
       {&report.other_processes, &report.other_groups, &report.other_cgroups}) {
    EXPECT_EQ(other->since_ns, kSeedNs);
  }
}

TEST_F(LedgerSince, WhatAppearsLaterCountsSinceTheSweepBefore) {
  Living({});
  Living({});
  const std::uint64_t birth = TimeOf(2) + 7;
  Living({Process(1, 11, birth).Has(100)});
  EXPECT_EQ(OfGroup("app"), TimeOf(2));
  EXPECT_EQ(OfCgroup("/1"), TimeOf(2));
  EXPECT_EQ(OfProcess(11), birth) << "a process counts from its birth";
  Living({Process(1, 11, birth).Has(300)});
  EXPECT_EQ(OfGroup("app"), TimeOf(2));
  EXPECT_EQ(OfCgroup("/1"), TimeOf(2));
  EXPECT_EQ(OfProcess(11), birth);
}

TEST_F(LedgerSince, AConstantGroupCountsSinceTheSeed) {
  ledger_.set_constant_groups({MakeGroup("daemon")});
  Living({});
  Living({});
  Living({Process(1, 11, TimeOf(2)).Named("daemon").Has(5)});
  EXPECT_EQ(OfGroup("daemon"), kSeedNs);
}

TEST_F(LedgerSince, AGroupThatBeginsAnewCountsSinceTheSweepBeforeIt) {
  Living({});
  Finish({Process(1, 11, kLater).Named("job").Finished(100)});
  const std::uint64_t first = OfGroup("job");
  PassAndTell(2);
  EXPECT_EQ(OfGroup("job"), first) << "dead, but its series is there";
  PassAndTell(2);
  EXPECT_EQ(OfGroup("job"), kNone);
  EXPECT_EQ(OfCgroup("/1"), kNone);
  const std::uint64_t last_sweep = TimeOf(sweep_);
  Finish({Process(1, 12, last_sweep + 5).Named("job").Finished(3)});
  EXPECT_EQ(Ns(ledger_.MakeReport().groups.at(0).totals), 3);
  EXPECT_EQ(OfGroup("job"), last_sweep);
  EXPECT_EQ(OfCgroup("/1"), last_sweep);
}

TEST_F(LedgerSince, AGroupThatComesBackInTimeCountsOn) {
  Living({});
  Finish({Process(1, 11, kLater).Named("job").Finished(100)});
  const std::uint64_t first = OfGroup("job");
  PassAndTell(1);
  Finish({Process(1, 12, TimeOf(3)).Named("job").Finished(3)});
  EXPECT_EQ(Ns(ledger_.MakeReport().groups.at(0).totals), 103);
  EXPECT_EQ(OfGroup("job"), first);
}

TEST_F(LedgerSince, AProcessWithTheLabelsOfAnEndedOneCountsSinceThatOnesBirth) {
  Living({});
  Living({Process(1, 11, kLater).Has(100)});
  Finish({Process(1, 11, kLater).Finished(107)});
  EXPECT_EQ(OfProcess(11), kNone);
  Living({Process(1, 11, TimeOf(3) + 1).Has(4)});
  EXPECT_EQ(Ns(ledger_.MakeReport().processes.at(0).totals), 104) << "on top of the other's";
  EXPECT_EQ(OfProcess(11), kLater);
}

TEST_F(LedgerSince, AProcessWhoseFormerLabelsAreForgottenCountsSinceItsOwnBirth) {
  Living({});
  Living({Process(1, 11, kLater).Has(100)});
  Finish({Process(1, 11, kLater).Finished(107)});
  PassAndTell(6);
  const std::uint64_t birth = TimeOf(sweep_) + 1;
  Living({Process(1, 11, birth).Has(4)});
  EXPECT_EQ(Ns(ledger_.MakeReport().processes.at(0).totals), 4);
  EXPECT_EQ(OfProcess(11), birth);
}

TEST_F(LedgerSince, ARenamedProcessCountsOn) {
  Living({});
  const Who process = Process(1, 11, kLater);
  Living({process.Named("a").Has(100)});
  Living({process.Named("b").Has(110)});
  EXPECT_EQ(Ns(ledger_.MakeReport().processes.at(0).totals), 110);
  EXPECT_EQ(OfProcess(11), kLater);
  Living({process.Named("a").Has(130)});
  EXPECT_EQ(OfProcess(11), kLater);
}

TEST_F(LedgerSince, AFoldedProcessThatComesBackCountsOn) {
  LimitTo(1, 10);
  Living({});
  const Who a = Process(1, 11, kLater);
  const Who b = Process(2, 12, kLater);
  Living({a.Has(100), b.Has(1)});
  EXPECT_EQ(OfProcess(12), kNone);
  Living({a.Has(100), b.Has(500)});
  EXPECT_EQ(OfProcess(11), kNone);
  EXPECT_EQ(OfProcess(12), TimeOf(2)) << "it got its series late: what was before is in other";
  Living({a.Has(900), b.Has(500)});
  EXPECT_EQ(OfProcess(11), kLater);
  Living({a.Has(900), b.Has(5'000)});
  EXPECT_EQ(OfProcess(12), TimeOf(2));
}

TEST_F(LedgerSince, AFoldedCgroupBeginsAnewUnlessNobodyLookedMeanwhile) {
  naming_.living = {"/1", "/2"};
  LimitTo(10, 1);
  Living({});
  const Who a = Process(1, 11, kLater).In(1);
  const Who b = Process(2, 12, kLater).In(2);
  Living({a.Has(100), b.Has(60)});
  SumNow();
  EXPECT_EQ(OfCgroup("/1"), TimeOf(1));
  Living({a.Has(100), b.Has(120)});
  Living({a.Has(300), b.Has(120)});
  SumNow();
  EXPECT_EQ(OfCgroup("/1"), TimeOf(1)) << "it only went between two reports";
  Living({a.Has(300), b.Has(900)});
  SumNow();
  EXPECT_EQ(OfRemoved("/"), TimeOf(3)) << "/2 was folded then";
  Living({a.Has(2'000), b.Has(900)});
  SumNow();
  EXPECT_EQ(OfCgroup("/1"), TimeOf(5));
  EXPECT_EQ(OfRemoved("/"), TimeOf(3)) << "and the sums only grow";
}

TEST_F(LedgerSince, ASumOfRemovedCgroupsBeginsAnewWhenItWentUp) {
  naming_.paths = {{5, "/k/pod/a"}, {6, "/k/pod/b"}};
  naming_.living = {"/k", "/k/pod"};
  Living({});
  Finish({Process(1, 11, kLater).In(5).Finished(9)});
  PassAndTell(4);
  const std::uint64_t first = OfRemoved("/k/pod");
  EXPECT_GT(first, kSeedNs);
  naming_.living = {"/k"};
  PassAndTell(1);
  EXPECT_EQ(OfRemoved("/k/pod"), kNone);
  EXPECT_EQ(OfRemoved("/k"), TimeOf(sweep_ - 1));
  naming_.living = {"/k", "/k/pod"};
  Finish({Process(2, 12, TimeOf(sweep_)).In(6).Finished(4)});
  PassAndTell(4);
  EXPECT_GT(OfRemoved("/k/pod"), first);
  EXPECT_GE(OfRemoved("/k/pod"), TimeOf(sweep_ - 4));
}

/// All counters of a row, by its labels.
struct Told {
  std::vector<std::uint64_t> counters;
  std::uint64_t since_ns = 0;
  std::uint64_t at_ns = 0;
};

using Tale = std::map<std::string, Told>;

Told ToldOf(const Totals& t, std::uint64_t since_ns, std::uint64_t now_ns) {
  return {{t.user_ns, t.system_ns, t.wait_ns, t.timeslices, t.voluntary_switches,
           t.involuntary_switches, t.migrations},
          since_ns,
          now_ns};
}

Tale TaleOf(const Report& report, std::uint64_t now_ns) {
  Tale tale;
  for (const ProcessRow& row : report.processes) {
    tale["p " + std::to_string(row.pid) + " " + row.comm] =
        ToldOf(row.totals, row.since_ns, now_ns);
  }
  const std::map<std::string, const std::vector<NamedRow>*> views{
      {"g ", &report.groups}, {"c ", &report.cgroups}, {"r ", &report.removed_cgroups}};
  for (const auto& [view, rows] : views) {
    for (const NamedRow& row : *rows) {
      tale[view + row.name] = ToldOf(row.totals, row.since_ns, now_ns);
    }
  }
  return tale;
}

bool WentBack(const Told& before, const Told& now) {
  return !std::equal(before.counters.begin(), before.counters.end(), now.counters.begin(),
                     std::less_equal<>());
}

/// Cgroups come and go in the naming, too.
class FickleNaming : public test_support::PlainNaming {
 public:
  std::string CgroupPath(std::uint64_t id) override {
    return "/" + std::to_string(id % 4) + "/" + std::to_string(id);
  }
  bool CgroupLives(const std::string& path) override {
    return std::hash<std::string>{}(path + std::to_string(phase)) % 3 != 0;
  }
  int phase = 0;
};

/// Reports of a ledger with little room and little patience over a simulated kernel.
class RandomTale {
 public:
  explicit RandomTale(std::uint64_t seed) : kernel_(OptionsOf(seed)), random_(seed) {}

  /// With `told` of ten sweeps a report is made.
  void Go(int sweeps, unsigned told, const std::function<void(const Tale&)>& check) {
    for (int i = 0; i < sweeps; ++i) {
      naming_.phase = i / 6;
      const Snapshot snapshot = kernel_.Sweep();
      ledger_.Apply(snapshot);
      if (random_() % 10 < told) {
        ledger_.SettleFolded();
        check(TaleOf(ledger_.MakeReport(), snapshot.boottime_ns));
        ledger_.NoteTold();
      }
      kernel_.Run(60);
    }
  }

 private:
  static SimOptions OptionsOf(std::uint64_t seed) {
    SimOptions options;
    options.seed = seed;
    options.evictions = options.torn = options.execs = options.moves = true;
    options.dying_windows = options.interrupted_sweeps = true;
    return options;
  }

  SimKernel kernel_;
  std::mt19937_64 random_;
  FickleNaming naming_;
  Ledger ledger_{LedgerLimits{4, 4, 3, 100, 1}, naming_};
};

/// Restarts that were seen, by view.
using Restarts = std::map<char, int>;

TEST(LedgerSinceModel, MovesWheneverACounterGoesBackAndOnlyAfterItsSeriesWasAway) {
  Restarts restarts;
  for (std::uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Tale last;
    Tale all;
    RandomTale(seed).Go(60, 10, [&](const Tale& tale) {
      for (const auto& [series, now] : tale) {
        ASSERT_NE(now.since_ns, 0) << series;
        ASSERT_LE(now.since_ns, now.at_ns) << series;
        if (const auto before = last.find(series); before != last.end()) {
          ASSERT_EQ(now.since_ns, before->second.since_ns) << series;
          ASSERT_FALSE(WentBack(before->second, now)) << series;
        }
        const auto before = all.find(series);
        if (before != all.end() && now.since_ns != before->second.since_ns) {
          ++restarts[series[0]];
          ASSERT_GE(now.since_ns, before->second.at_ns) << series;
        } else if (before != all.end()) {
          ASSERT_FALSE(WentBack(before->second, now)) << series;
        }
        all[series] = now;
      }
      last = tale;
    });
  }
  for (const char view : {'p', 'g', 'c', 'r'}) {
    EXPECT_GT(restarts[view], 0) << view;
  }
}

/// As Prometheus sees it, which doesn't read every sweep.
TEST(LedgerSinceModel, IsRightForWhoReadsSometimes) {
  for (std::uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    Tale all;
    RandomTale(seed).Go(60, 3, [&](const Tale& tale) {
      for (const auto& [series, now] : tale) {
        const auto before = all.find(series);
        if (before != all.end() && now.since_ns != before->second.since_ns) {
          ASSERT_GE(now.since_ns, before->second.at_ns) << series;
        } else if (before != all.end()) {
          ASSERT_FALSE(WentBack(before->second, now)) << series;
        }
        all[series] = now;
      }
    });
  }
}

}  // namespace
}  // namespace sched_exporter
