#include "exporter/identity/groups.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sched_exporter {
namespace {

std::string GroupOf(const std::string& comm, bool kernel_thread = false) {
  TaskIdentity identity;
  std::copy_n(comm.begin(), std::min(comm.size(), identity.comm.size()), identity.comm.begin());
  identity.kernel_thread = kernel_thread;
  return GroupByComm(identity);
}

TEST(GroupByComm, IsTheComm) {
  EXPECT_EQ(GroupOf("nginx"), "nginx");
  EXPECT_EQ(GroupOf("a b"), "a b");
  EXPECT_EQ(GroupOf("with/slash"), "with/slash");
}

TEST(GroupByComm, TakesAllBytesOfACommThatHasNoEnd) {
  EXPECT_EQ(GroupOf("0123456789abcdef"), "0123456789abcdef");
}

TEST(GroupByComm, StopsAtTheFirstNul) { EXPECT_EQ(GroupOf({"ab\0cd", 5}), "ab"); }

TEST(GroupByComm, PutsKernelThreadsTogetherByThePartBeforeTheSlash) {
  EXPECT_EQ(GroupOf("kworker/0:1", true), "kworker");
  EXPECT_EQ(GroupOf("kworker/u4:2-ev", true), "kworker");
  EXPECT_EQ(GroupOf("kthreadd", true), "kthreadd");
  EXPECT_EQ(GroupOf("/0", true), "(empty)");
}

TEST(GroupByComm, ATaskWithoutANameHasAGroup) { EXPECT_EQ(GroupOf(""), "(empty)"); }

TEST(GroupByComm, LeavesTheNameOtherToWhatIsFolded) {
  EXPECT_EQ(GroupOf("other"), "(other)");
  EXPECT_EQ(GroupOf("other/1", true), "(other)");
  EXPECT_EQ(GroupOf("others"), "others");
  EXPECT_EQ(GroupOf("Other"), "Other");
}

TEST(GroupByComm, IsPrintable) {
  EXPECT_EQ(GroupOf("a\nb"), "a\\x0ab");
  EXPECT_EQ(GroupOf("\xff\"\\"), "\\xff\"\\\\");
  // The kernel cuts a name at 15 bytes, also within a character.
  EXPECT_EQ(GroupOf("123456789012\xe2\x82"), "123456789012\\xe2\\x82");
}

}  // namespace
}  // namespace sched_exporter
