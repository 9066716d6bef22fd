// What an exporter finds of the one before may be damaged, or of another version: then it starts
// afresh, says so, and misreads nothing.

#include <fstream>
#include <functional>

#include "tests/support/persistence.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// What makes it impossible to go on, and what the log says of it.
struct Damage {
  std::string name;
  std::function<void(const std::string& state, const std::string& pins)> damage;
  std::string message;
};

class DamagedPersistence : public PersistenceTest, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedPersistence, StartsAfreshAndSaysSo) {
  ASSERT_NO_FATAL_FAILURE(Start());
  Starter before({.children = 100, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(before));
  exporter_->End(SIGTERM);
  GetParam().damage(State(), pins_ + "/current");
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_THAT(exporter_->Log(), HasSubstr("all counters begin at 0: "));
  EXPECT_THAT(exporter_->Log(), HasSubstr(GetParam().message));
  last_ = {};
  EXPECT_EQ(Scrape().Sum("sched_cgroup_exits_total", {{"cgroup", cgroup_->label()}}), 0);
  // And from here on it works as ever.
  reports_.clear();
  const std::uint64_t past_ns = cgroup_->UsageNs();
  Starter after({.children = 100, .cgroups = {cgroup_->directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(after));
  exporter_->End(SIGKILL);
  ASSERT_NO_FATAL_FAILURE(Start());
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr("begin at 0")));
  std::vector<std::string> differences;
  WaitUntil(
      [&] {
        differences = CgroupDifferences(Scrape(), cgroup_->label(), reports_);
        return differences.empty();
      },
      kSumsPatience);
  EXPECT_THAT(differences, IsEmpty());
  const double usage = static_cast<double>(cgroup_->UsageNs() - past_ns) / 1e9;
  EXPECT_NEAR(CpuOfCgroup(last_), usage, usage * kCpuTolerance);
}

std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

const Damage kDamages[] = {
    {"TotalsGone",
     [](const std::string& state, const std::string&) { unlink((state + "/totals").c_str()); },
     "/totals: No such file or directory"},
    {"TotalsCut",
     [](const std::string& state, const std::string&) {
       const std::string bytes = ReadBytes(state + "/totals");
       WriteBytes(state + "/totals", bytes.substr(0, bytes.size() - 1));
     },
     "/totals is not whole"},
    {"TotalsChanged",
     [](const std::string& state, const std::string&) {
       std::string bytes = ReadBytes(state + "/totals");
       bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
       WriteBytes(state + "/totals", bytes);
     },
     "/totals is not whole"},
    {"TotalsAreADirectory",
     [](const std::string& state, const std::string&) {
       unlink((state + "/totals").c_str());
       symlink("/dev/zero", (state + "/totals").c_str());
     },
     "/totals"},
    {"AMapIsGone",
     [](const std::string&, const std::string& pins) { unlink((pins + "/map_tasks").c_str()); },
     "cannot open what is pinned at"},
    {"TheHookIsGone",
     [](const std::string&, const std::string& pins) {
       unlink((pins + "/link_on_switch").c_str());
     },
     "cannot open what is pinned at"},
    {"AnotherLayout",
     [](const std::string&, const std::string& pins) {
       // As a later version would have it: the first number of the record is another one.
       std::vector<std::string> update{"bpftool", "map", "update", "pinned", pins + "/layout",
                                       "key",     "0",   "0",      "0",      "0",
                                       "value",   "77",  "0",      "0",      "0",
                                       "88"};
       update.resize(update.size() + 88 - 5, "0");
       const Ended ended = RunProgram(update);
       EXPECT_EQ(ended.exit_code, 0) << ended.output;
     },
     "their records have layout 77, and this version has"},
};

INSTANTIATE_TEST_SUITE_P(Damages, DamagedPersistence, testing::ValuesIn(kDamages),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace sched_exporter::test_support
