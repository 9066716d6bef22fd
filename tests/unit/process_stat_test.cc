#include "exporter/identity/process_stat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "exporter/model/printable_comm.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::TempDirectory;
using ::testing::HasSubstr;

/// A file `stat` of a process that has this comm, as an old or a hostile kernel might write it.
std::string Stat(const std::string& comm, const std::string& flags = "4194560") {
  return "42 (" + comm + ") S 7 42 42 0 -1 " + flags +
         " 100 0 0 0 5 6 0 0 20 0 3 0 12345 8192000 512 18446744073709551615 1 1 0 0 0\n";
}

TEST(ParseStat, ReadsWhatIsBehindTheComm) {
  const auto stat = ParseStat(Stat("app"));
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->state, 'S');
  EXPECT_EQ(stat->ppid, 7U);
  EXPECT_EQ(stat->flags, 4194560U);
  EXPECT_EQ(stat->threads, 3U);
  EXPECT_EQ(stat->start_ticks, 12345U);
}

TEST(ParseStat, NoCommLeadsItAstray) {
  for (const std::string comm :
       {") (", ") R 1 1 1", "a\nb", "42 (x) Z 1", "((((", "))))", "", " ", "\\n", "\xff\x01"}) {
    const auto stat = ParseStat(Stat(comm));
    ASSERT_TRUE(stat) << comm;
    EXPECT_EQ(stat->state, 'S') << comm;
    EXPECT_EQ(stat->ppid, 7U) << comm;
    EXPECT_EQ(stat->start_ticks, 12345U) << comm;
  }
}

TEST(ParseStat, RefusesWhatIsNoStat) {
  const std::string whole = Stat("app");
  for (const std::string& text :
       {std::string(), std::string("42"), std::string(")"), std::string("42 (app)"),
        std::string("42 (app) S x"), whole.substr(0, 52), Stat("app", "-1"), Stat("app", "x")}) {
    EXPECT_FALSE(ParseStat(text)) << text;
  }
}

TEST(ParseStatus, TakesTheEffectiveUser) {
  const auto status = ParseStatus("Name:\tapp\nTgid:\t42\nPid:\t43\nUid:\t1000\t33\t1000\t0\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->tgid, 42U);
  EXPECT_EQ(status->uid, 33U);
}

TEST(ParseStatus, AnEscapedNewlineInTheNameIsNoLine) {
  const auto status = ParseStatus("Name:\tTgid:\\nTgid:\t1\nTgid:\t42\nUid:\t5\t6\t7\t8\n");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->tgid, 42U);
}

TEST(ParseStatus, RefusesWhatIsNoStatus) {
  for (const char* text : {"", "Tgid:\t42\n", "Uid:\t1\t2\n", "Tgid:\tx\nUid:\t1\t2\t3\t4\n"}) {
    EXPECT_FALSE(ParseStatus(text)) << text;
  }
}

constexpr char kBoth[] =
    "9:name=systemd:/sys\n4:cpu,cpuacct:/both\n3:cpuset:/set\n1:memory:/m\n0::/two:with colon\n";

TEST(ParseCgroupPath, TakesTheLineOfTheHierarchy) {
  EXPECT_EQ(ParseCgroupPath(kBoth, Hierarchy::kV2), "/two:with colon");
  EXPECT_EQ(ParseCgroupPath(kBoth, Hierarchy::kCpu), "/both");
  EXPECT_EQ(ParseCgroupPath(kBoth, Hierarchy::kCpuacct), "/both");
  EXPECT_EQ(ParseCgroupPath("2:cpuacct:/a\n1:cpu:/\n", Hierarchy::kCpu), "/");
}

TEST(ParseCgroupPath, KnowsNoneWhereThereIsNone) {
  EXPECT_EQ(ParseCgroupPath("1:cpuset:/set\n", Hierarchy::kCpu), std::nullopt);
  EXPECT_EQ(ParseCgroupPath("1:name=cpu:/named\n", Hierarchy::kCpu), std::nullopt);
  EXPECT_EQ(ParseCgroupPath("1:cpu:/v1\n", Hierarchy::kV2), std::nullopt);
  for (const char* text : {"", "\n\n", "0:", "0::", "0::x", "::::", ":/", "cpu"}) {
    EXPECT_EQ(ParseCgroupPath(text, Hierarchy::kV2), std::nullopt) << text;
    EXPECT_EQ(ParseCgroupPath(text, Hierarchy::kCpu), std::nullopt) << text;
  }
}

TEST(CommOfFile, TakesNoMoreThanTheLastNewlineAway) {
  EXPECT_EQ(PrintableComm(CommOfFile("app\n", false)), "app");
  EXPECT_EQ(PrintableComm(CommOfFile("a\n\n", false)), "a\\x0a");
  EXPECT_EQ(PrintableComm(CommOfFile("", false)), "");
  EXPECT_EQ(PrintableComm(CommOfFile("kworker/0:1-x\n", false)), "kworker/0:1-x");
}

TEST(CommOfFile, ANameOfAKernelThreadIsTheTasks) {
  EXPECT_EQ(PrintableComm(CommOfFile("kworker/u9:0-events_unbound\n", true)), "kworker/u9:0");
  EXPECT_EQ(PrintableComm(CommOfFile("kworker/0:1H+kblockd\n", true)), "kworker/0:1H");
  EXPECT_EQ(PrintableComm(CommOfFile("kworker/R-mm_percpu_wq\n", true)), "kworker/R-mm_pe");
  EXPECT_EQ(PrintableComm(CommOfFile("ext4-rsv-conversion\n", true)), "ext4-rsv-conver");
}

TEST(ReadProcessStat, ReadsThisProcess) {
  const auto process = ReadProcessStat(static_cast<std::uint32_t>(getpid()), "/proc");
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(process->identity.tgid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(process->identity.ppid, static_cast<std::uint32_t>(getppid()));
  EXPECT_EQ(process->identity.uid, geteuid());
  EXPECT_FALSE(process->identity.kernel_thread);
  EXPECT_FALSE(process->has_ended);
  EXPECT_NE(process->identity.start_ns, 0U);
}

TEST(ReadProcessStat, AThreadIsNoProcess) {
  std::string said;
  std::thread([&said] {
    const auto thread = ReadProcessStat(static_cast<std::uint32_t>(gettid()), "/proc");
    said = thread ? "no error" : thread.error().message;
  }).join();
  EXPECT_THAT(said, HasSubstr(" is a thread of process " + std::to_string(getpid())));
}

/// A made-up /proc with one process, 42.
class MadeUpProc : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(procfs_.path() + "/42");
    std::ofstream(procfs_.path() + "/42/" + name) << text;
  }
  std::string ErrorOf42() const {
    const auto process = ReadProcessStat(42, procfs_.path());
    return process ? "no error" : process.error().message;
  }

  TempDirectory procfs_;
};

TEST_F(MadeUpProc, AHostileNameIsOnlyAName) {
  Write("stat", Stat(") Z 1 (\n"));
  Write("status", "Name:\tx\nTgid:\t42\nUid:\t0\t33\t0\t0\n");
  Write("comm", ") Z 1 (\n\n");
  const auto process = ReadProcessStat(42, procfs_.path());
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_EQ(PrintableComm(process->identity.comm), ") Z 1 (\\x0a");
  EXPECT_EQ(process->identity.uid, 33U);
  EXPECT_FALSE(process->has_ended);
}

TEST_F(MadeUpProc, KernelThreadsAreToldByTheirFlag) {
  Write("stat", Stat("kworker/0:1-eve", "69238880"));
  Write("status", "Tgid:\t42\nUid:\t0\t0\t0\t0\n");
  Write("comm", "kworker/0:1-events\n");
  const auto process = ReadProcessStat(42, procfs_.path());
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_TRUE(process->identity.kernel_thread);
  EXPECT_EQ(PrintableComm(process->identity.comm), "kworker/0:1");
}

TEST_F(MadeUpProc, ErrorsSayWhatAndWhere) {
  EXPECT_THAT(ErrorOf42(), HasSubstr("no process 42 in " + procfs_.path()));
  Write("stat", "nonsense\n");
  EXPECT_THAT(ErrorOf42(),
              HasSubstr("cannot open " + procfs_.path() + "/42/status: No such file or directory"));
  Write("status", "Tgid:\t42\nUid:\t0\t0\t0\t0\n");
  Write("comm", "x\n");
  EXPECT_THAT(ErrorOf42(), HasSubstr("cannot understand " + procfs_.path() + "/42/stat;"));
  Write("cgroup", "1:cpu:/\n");
  const auto path = ReadCgroupPath(42, procfs_.path(), Hierarchy::kV2);
  ASSERT_FALSE(path);
  EXPECT_THAT(path.error().message, HasSubstr("/42/cgroup has no line"));
}

}  // namespace
}  // namespace sched_exporter
