// The live ring on the ledger's own reports: members that are folded and come back, series that go
// on under another owner, reports in between.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/live/live_ring.h"
#include "tests/support/ledger_fixture.h"
#include "tests/support/told_naming.h"

namespace sched_exporter {
namespace {

using test_support::kSecond;
using test_support::LedgerNames;
using test_support::Process;
using test_support::Who;

class LiveLedger : public LedgerNames {
 protected:
  /// One step of one second.
  std::shared_ptr<const LiveView> Step(const std::vector<TaskReading>& living) {
    Living(living);
    return Take();
  }
  std::shared_ptr<const LiveView> Take() {
    return ring_.Take(ledger_.MakeReport(), {kSeedNs + (sweep_ - 1) * kSecond, 0, 1, ""});
  }

  /// -1: it has no row.
  static float Cpu(const LiveView& view, LiveViewKind kind, const std::string& name) {
    for (const LiveRow& row : view.table(kind).rows) {
      if (row.name == name) {
        return row.rates.cpu;
      }
    }
    return -1;
  }
  static float OfProcess(const LiveView& view, const std::string& name) {
    return Cpu(view, LiveViewKind::kProcess, name);
  }
  static float OfGroup(const LiveView& view, const std::string& name) {
    return Cpu(view, LiveViewKind::kGroup, name);
  }

  LiveRing ring_{kSecond};
};

TEST_F(LiveLedger, AFoldedMemberThatComesBackPoursNothingOld) {
  ledger_.set_limits({1, 1, 10, 100, 3 * kSecond});
  const Who a = Process(0x1000, 10, kLater).Named("a");
  const Who b = Process(0x2000, 11, kLater).Named("b");
  Step({});
  auto view = Step({a.Has(kSecond / 2), b.Has(0)});
  EXPECT_FLOAT_EQ(OfGroup(*view, "a"), 0.5);
  EXPECT_FLOAT_EQ(OfProcess(*view, "a"), 0.5);
  EXPECT_EQ(OfGroup(*view, "b"), -1);
  view = Step({a.Has(kSecond / 2), b.Has(kSecond)});
  EXPECT_EQ(OfGroup(*view, "a"), -1) << "folded";
  EXPECT_FLOAT_EQ(OfGroup(*view, "b"), 1) << "its series begins with this step";
  // Room for both: a has 0.5 s in its series from before, and uses 0.25 s in the step.
  ledger_.set_limits({9, 9, 10, 100, 3 * kSecond});
  view = Step({a.Has(kSecond * 3 / 4), b.Has(kSecond)});
  EXPECT_EQ(OfGroup(*view, "a"), -1);
  EXPECT_EQ(OfProcess(*view, "a"), -1);
  view = Step({a.Has(kSecond), b.Has(kSecond)});
  EXPECT_FLOAT_EQ(OfGroup(*view, "a"), 0.25);
  EXPECT_FLOAT_EQ(OfProcess(*view, "a"), 0.25);
}

TEST_F(LiveLedger, AReusedPidDoesNotInheritTheCpuTimeOfItsSeries) {
  const Who first = Process(0x1000, 10, kLater);
  const Who second = Process(0x2000, 10, kLater + kSecond);
  Step({});
  Step({first.Has(kSecond)});
  Finish({first.Finished(kSecond)});
  Take();
  const auto view = Step({second.Has(kSecond / 4)});
  EXPECT_EQ(Ns(ledger_.MakeReport().processes[0].totals), kSecond * 5 / 4) << "the series goes on";
  EXPECT_FLOAT_EQ(OfProcess(*view, "app"), 0.25);
}

TEST_F(LiveLedger, ARenameIsNoCpuTime) {
  const Who process = Process(0x1000, 10, kLater).Named("a");
  Step({});
  Step({process.Has(kSecond)});
  Step({process.Named("b").Has(kSecond)});
  const auto view = Step({process.Has(kSecond)});
  EXPECT_FLOAT_EQ(OfProcess(*view, "a"), 0);
}

TEST_F(LiveLedger, AGroupThatIsForgottenAndComesBackCountsAnew) {
  const Who first = Process(0x1000, 10, kLater).Named("a");
  Step({});
  Step({first.Has(kSecond)});
  Finish({first.Finished(kSecond)});
  Take();
  ledger_.NoteTold();
  for (int i = 0; i < 5; ++i) {
    Step({});
  }
  const Who second = Process(0x2000, 12, kLater + 9 * kSecond).Named("a");
  EXPECT_FLOAT_EQ(OfGroup(*Step({second.Has(kSecond / 4)}), "a"), 0.25);
}

TEST_F(LiveLedger, PointsTakeNothingFromWhatScrapesAreTold) {
  const Who process = Process(0x1000, 10, kLater).Named("a");
  Step({});
  Finish({process.Finished(kSecond)});
  for (int i = 0; i < 10; ++i) {
    Take();
    Step({});
  }
  // Dead for long, but nobody has scraped its last figures.
  EXPECT_THAT(Groups(), testing::Contains("a=" + std::to_string(kSecond)));
}

}  // namespace
}  // namespace sched_exporter
