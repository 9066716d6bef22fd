// The ledger against a simulated kernel with books of its own.

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>

#include "exporter/base/archive.h"
#include "exporter/ledger/ledger.h"
#include "tests/support/sim_kernel.h"

namespace sched_exporter {
namespace {

using test_support::SimKernel;
using test_support::SimOptions;

/// Two of the cgroup ids have one path.
std::string PathOf(std::uint64_t cgroup_id) {
  return cgroup_id == 105 ? "/c104" : "/c" + std::to_string(cgroup_id);
}

class SimNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& /*image*/) override {
    return MakeGroup(identity.comm.data());
  }
  std::string CgroupPath(std::uint64_t cgroup_id) override { return PathOf(cgroup_id); }
};

using Counters = std::map<std::string, std::uint64_t>;

void AddCounters(Counters& counters, const std::string& series, const Totals& totals) {
  EXPECT_TRUE(counters.emplace(series + " user", totals.user_ns).second) << "twice: " << series;
  counters[series + " system"] = totals.system_ns;
  counters[series + " wait"] = totals.wait_ns;
  counters[series + " timeslices"] = totals.timeslices;
  counters[series + " voluntary"] = totals.voluntary_switches;
  counters[series + " involuntary"] = totals.involuntary_switches;
  counters[series + " migrations"] = totals.migrations;
}

/// Every counter of a report, by the labels that its series has.
Counters CountersOf(const Report& report) {
  Counters counters;
  for (const ProcessRow& row : report.processes) {
    AddCounters(counters, "process " + std::to_string(row.pid) + " " + row.comm, row.totals);
  }
  for (const NamedRow& row : report.groups) {
    AddCounters(counters, "group " + row.name, row.totals);
  }
  for (const NamedRow& row : report.cgroups) {
    AddCounters(counters, "cgroup " + row.name, row.totals);
  }
  AddCounters(counters, "other process", report.other_processes.totals);
  AddCounters(counters, "other group", report.other_groups.totals);
  AddCounters(counters, "other cgroup", report.other_cgroups.totals);
  for (const CpuRow& row : report.cpus) {
    counters["cpu " + std::to_string(row.cpu)] = row.busy_ns;
  }
  counters["unattributed"] = report.unattributed_ns;
  return counters;
}

std::uint64_t RunNs(const Totals& totals) { return totals.user_ns + totals.system_ns; }

/// A simulated kernel and a ledger that reads it.
class Model {
 public:
  /// With `restarts` each sweep meets a new ledger that was told what the one before remembered.
  Model(const SimOptions& options, bool restarts)
      : kernel_(options), restarts_(restarts), ledger_(std::make_unique<Ledger>(kAll, naming_)) {}

  void Live(int sweeps) {
    for (int i = 0; i < sweeps; ++i) {
      Sweep();
      kernel_.Run(60);
    }
    kernel_.Quiesce();
    for (int i = 0; i < 4; ++i) {
      Sweep();
    }
  }

  /// No counter went back, also not one that was away.
  void Sweep() {
    if (restarts_ && !counters_.empty()) {
      Restart();
    }
    ledger_->Apply(kernel_.Sweep());
    for (const auto& [series, value] : CountersOf(ledger_->MakeReport())) {
      std::uint64_t& before = counters_[series];
      ASSERT_GE(value, before) << series;
      before = value;
    }
  }

  std::map<std::string, std::uint64_t> Families() const {
    std::map<std::string, std::uint64_t> families;
    for (const NamedRow& row : ledger_->MakeReport().groups) {
      families[SimKernel::FamilyOf(row.name)] += RunNs(row.totals);
    }
    std::erase_if(families, [](const auto& entry) { return entry.second == 0; });
    return families;
  }

  std::map<std::string, std::uint64_t> Cgroups() const {
    std::map<std::string, std::uint64_t> cgroups;
    for (const NamedRow& row : ledger_->MakeReport().cgroups) {
      cgroups[row.name] += RunNs(row.totals);
    }
    std::erase_if(cgroups, [](const auto& entry) { return entry.second == 0; });
    return cgroups;
  }

  std::map<std::string, std::uint64_t> TrueCgroups() const {
    std::map<std::string, std::uint64_t> cgroups;
    for (const auto& [id, ns] : kernel_.books().by_cgroup_ns) {
      cgroups[PathOf(id)] += ns;
    }
    return cgroups;
  }

  void ExpectTotalsAreExact() const {
    const Report report = ledger_->MakeReport();
    std::uint64_t groups = report.unattributed_ns;
    std::uint64_t cgroups = report.unattributed_ns;
    std::uint64_t busy = 0;
    for (const auto& [name, ns] : Families()) {
      groups += ns;
    }
    for (const auto& [name, ns] : Cgroups()) {
      cgroups += ns;
    }
    for (const CpuRow& row : report.cpus) {
      busy += row.busy_ns;
    }
    EXPECT_EQ(groups, kernel_.books().total_ns);
    EXPECT_EQ(cgroups, kernel_.books().total_ns);
    EXPECT_EQ(busy, kernel_.books().total_ns);
  }

  const SimKernel& kernel() const { return kernel_; }

 private:
  /// Room for all, and nothing that dies goes.
  static constexpr LedgerLimits kAll{1'000'000, 1'000'000, 1'000'000, 1'000'000,
                                     std::uint64_t{1} << 62U};

  void Restart() {
    std::stringstream kept;
    {
      SavingArchive archive(kept);
      ledger_->Save(archive);
    }
    ledger_ = std::make_unique<Ledger>(kAll, naming_);
    LoadingArchive archive(kept);
    ledger_->Load(archive);
    EXPECT_EQ(kept.peek(), std::char_traits<char>::eof()) << "something was not read";
  }

  SimKernel kernel_;
  SimNaming naming_;
  bool restarts_;
  std::unique_ptr<Ledger> ledger_;
  Counters counters_;
};

/// What a kind of kernel does; all else follows from the seed.
struct Kind {
  const char* name;
  SimOptions options;
  bool exact_cgroups;
};

void PrintTo(const Kind& kind, std::ostream* to) { *to << kind.name; }

SimOptions WithSeed(SimOptions options, std::uint64_t seed) {
  options.seed = seed;
  return options;
}

class LedgerModel : public testing::TestWithParam<Kind> {};

constexpr std::uint64_t kSeeds = 60;
constexpr int kSweeps = 25;

/// Lives `seeds` lives of such a kernel.
void ExpectAgreement(const Kind& kind, std::uint64_t seeds, bool restarts) {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(WithSeed(kind.options, seed), restarts);
    model.Live(kSweeps);
    lost += model.kernel().lost_finals();
    model.ExpectTotalsAreExact();
    if (model.kernel().lost_finals() == 0 && model.kernel().lost_moves() == 0) {
      EXPECT_EQ(model.Families(), model.kernel().books().by_family_ns);
      if (kind.exact_cgroups) {
        EXPECT_EQ(model.Cgroups(), model.TrueCgroups());
      }
    }
  }
  // A kind that is meant to lose finals and doesn't would prove nothing.
  EXPECT_EQ(lost > 0, kind.options.event_capacity < 1000);
}

TEST_P(LedgerModel, AgreesWithTheBooksOfTheKernel) { ExpectAgreement(GetParam(), kSeeds, false); }

TEST_P(LedgerModel, AgreesWithThemWhateverRestarts) {
  ExpectAgreement(GetParam(), kSeeds / 3, true);
}

SimOptions Everything() {
  SimOptions options;
  options.evictions = options.torn = options.execs = options.renames = true;
  options.moves = options.dying_windows = options.interrupted_sweeps = true;
  return options;
}

SimOptions Losing(std::uint32_t events, std::uint32_t sums) {
  SimOptions options = Everything();
  options.event_capacity = events;
  options.sums_capacity = sums;
  return options;
}

SimOptions Quiet() { return {}; }

SimOptions OnlyExecs() {
  SimOptions options;
  options.execs = options.interrupted_sweeps = true;
  return options;
}

SimOptions OnlyMoves() {
  SimOptions options;
  options.moves = options.evictions = true;
  return options;
}

SimOptions SilentMoves() {
  SimOptions options = Everything();
  options.silent_moves = true;
  return options;
}

INSTANTIATE_TEST_SUITE_P(Kinds, LedgerModel,
                         testing::Values(Kind{"Quiet", Quiet(), true},
                                         Kind{"OnlyExecs", OnlyExecs(), true},
                                         Kind{"OnlyMoves", OnlyMoves(), true},
                                         Kind{"Everything", Everything(), true},
                                         Kind{"SilentMoves", SilentMoves(), false},
                                         Kind{"FinalsInSums", Losing(3, 1'000'000), false},
                                         Kind{"FinalsInSmallSums", Losing(2, 2), false},
                                         Kind{"FinalsUnattributed", Losing(1, 0), false}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace sched_exporter
