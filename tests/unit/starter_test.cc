// The load of the lifecycle tests counts itself; here its counts are held against each other and
// against the kernel.

#include "tests/support/starter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

constexpr int kChildren = 2100;

/// Forks and clones of all processes since boot.
std::uint64_t KernelForks() {
  std::ifstream stat("/proc/stat");
  std::string word;
  std::uint64_t value = 0;
  while (stat >> word && word != "processes") {
  }
  stat >> value;
  return value;
}

std::uint64_t HowMany(const std::vector<StartedChild>& children, How how) {
  std::uint64_t count = 0;
  for (const StartedChild& child : children) {
    count += child.how == how ? 1 : 0;
  }
  return count;
}

TEST(Starter, CountsAddUp) {
  Starter starter({.children = kChildren});
  const std::uint64_t before = KernelForks();
  const auto report = starter.Run();
  ASSERT_TRUE(report) << report.error().message;
  const StarterCounts& counts = report->counts;
  EXPECT_GE(KernelForks() - before, counts.forks + counts.thread_starts + 1);
  EXPECT_EQ(counts.forks, static_cast<std::uint64_t>(kChildren));
  EXPECT_EQ(counts.Exits(), counts.forks + 1) << "the starter itself";
  EXPECT_EQ(counts.Execs() + counts.ExecFailures() + HowMany(report->children, How::kForkOnly),
            counts.forks);
  EXPECT_EQ(counts.thread_starts, HowMany(report->children, How::kThread));
  EXPECT_EQ(counts.ExecFailures(), static_cast<std::uint64_t>(kChildren / 10));
  std::set<pid_t> pids;
  for (const StartedChild& child : report->children) {
    pids.insert(child.pid);
  }
  EXPECT_EQ(pids.size(), static_cast<std::size_t>(kChildren));
  EXPECT_FALSE(pids.contains(report->starter));
}

TEST(Starter, HasEveryKindOfChild) {
  Starter starter({.children = kChildren});
  const auto report = starter.Run();
  ASSERT_TRUE(report) << report.error().message;
  for (int how = 0; how < kHows; ++how) {
    EXPECT_GT(HowMany(report->children, static_cast<How>(how)), 200U) << how;
  }
  const StarterCounts& counts = report->counts;
  EXPECT_THAT(counts.exec_failures,
              UnorderedElementsAre(Key("ENOENT"), Key("EACCES"), Key("ENOEXEC")));
  const std::string program = starter.comm() + "_0";
  for (const char* code : {"0", "1", "255", "SIGKILL", "SIGSEGV", "SIGTERM", "SIGABRT"}) {
    EXPECT_TRUE(counts.exits.contains({program, code})) << code;
  }
  EXPECT_TRUE(counts.exits.contains({starter.comm(), "127"}));
  // What execveat is given has no name; kernels before 6.14 take the descriptor's number.
  EXPECT_TRUE(counts.execs.contains(program));
  EXPECT_TRUE(counts.execs.contains(starter.comm() + "_s"));
  EXPECT_EQ(counts.execs.size(), 3U);
}

TEST(Starter, GivesProgramsAsManyNamesAsAsked) {
  Starter starter({.children = 700, .names = 50});
  const auto report = starter.Run();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->counts.execs.size(), 50U + 2U);
}

/// One child with `fate` for which the starter's own reckoning is wrong.
Result<StarterReport> RunOne(How how, Fate fate, int value) {
  ChildRecord record;
  record.how = how;
  record.fate = fate;
  record.value = value;
  return Starter({.plan = {record}}).Run();
}

TEST(Starter, NoticesAChildThatDoesSomethingElse) {
  EXPECT_TRUE(RunOne(How::kFork, Fate::kExits, 3));
  const auto exits = RunOne(How::kFork, Fate::kExits, 256 + 3);
  ASSERT_FALSE(exits) << "exit(259) ends with 3";
  EXPECT_THAT(exits.error().message, HasSubstr("ended with 3"));
  const auto ignored = RunOne(How::kForkOnly, Fate::kFails, ENOENT);
  ASSERT_FALSE(ignored) << "no exec can fail where there is none";
  EXPECT_THAT(ignored.error().message, HasSubstr("errno 0"));
  const auto other = RunOne(How::kVfork, Fate::kFails, ENOTDIR);
  ASSERT_FALSE(other) << "a missing file gives ENOENT";
}

TEST(Starter, NamesACgroupThatIsNotThere) {
  const auto report = Starter({.children = 1, .cgroups = {"/nonexistent"}}).Run();
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message, HasSubstr("/nonexistent"));
}

TEST(Starter, LeavesNoChildBehind) {
  ASSERT_TRUE(Starter({.children = 100}).Run());
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

}  // namespace
}  // namespace sched_exporter::test_support
