// Offsets of tracepoints' fields, out of what tracefs of several kernels says.

#include "exporter/kernel/tracepoint_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sched_exporter {
namespace {

/// Linux 6.18.
constexpr char kSwitch[] =
    "name: sched_switch\n"
    "ID: 300\n"
    "format:\n"
    "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
    "\n"
    "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
    "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
    "\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
    "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
    "\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;\n"
    "\n"
    "print fmt: \"prev_state=%s%s\", REC->prev_state\n";

/// A real-time kernel 4.18 of RHEL.
constexpr char kRealTimeSwitch[] =
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
    "\tfield:unsigned char common_preempt_lazy_count;\toffset:8;\tsize:1;\tsigned:0;\n"
    "\n"
    "\tfield:char prev_comm[16];\toffset:9;\tsize:16;\tsigned:1;\n"
    "\tfield:long prev_state;\toffset:40;\tsize:8;\tsigned:1;\n";

constexpr char kExec[] =
    "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
    "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
    "\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;\n";

std::uint32_t OffsetOf(std::string_view format, std::string_view field) {
  const auto found = FindTracepointField(format, field);
  EXPECT_TRUE(found) << field;
  return found ? found->offset : 0;
}

TEST(TracepointFormat, FindsFieldsByTheirWholeNames) {
  EXPECT_EQ(OffsetOf(kSwitch, "prev_state"), 32U);
  EXPECT_EQ(OffsetOf(kSwitch, "prev_comm"), 8U);
  EXPECT_EQ(OffsetOf(kExec, "pid"), 12U);
  EXPECT_EQ(OffsetOf(kExec, "old_pid"), 16U);
  EXPECT_EQ(OffsetOf(kExec, "filename"), 8U);
  EXPECT_EQ(FindTracepointField(kSwitch, "prev_state")->size, 8U);
}

TEST(TracepointFormat, ARealTimeKernelHasThemElsewhere) {
  EXPECT_EQ(OffsetOf(kRealTimeSwitch, "prev_state"), 40U);
}

TEST(TracepointFormat, SaysWhatIsMissing) {
  for (const char* field : {"state", "clone_flags", "", "prev"}) {
    const auto found = FindTracepointField(kSwitch, field);
    ASSERT_FALSE(found) << field;
    EXPECT_EQ(found.error().message, "the tracepoint has no field " + std::string(field));
  }
  EXPECT_FALSE(FindTracepointField("", "pid"));
  EXPECT_FALSE(FindTracepointField("\tfield:pid_t pid;\toffset:;\tsize:4;", "pid"));
  EXPECT_FALSE(FindTracepointField("\tfield:pid_t pid", "pid"));
}

}  // namespace
}  // namespace sched_exporter
