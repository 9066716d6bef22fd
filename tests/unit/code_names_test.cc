#include "exporter/base/code_names.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "exporter/model/exit_code_name.h"
#include "exporter/model/printable_comm.h"

namespace sched_exporter {
namespace {

constexpr std::uint32_t kLargest = std::numeric_limits<std::uint32_t>::max();

TEST(ErrnoName, IsTheMacro) {
  EXPECT_EQ(ErrnoName(1), "EPERM");
  EXPECT_EQ(ErrnoName(2), "ENOENT");
  EXPECT_EQ(ErrnoName(7), "E2BIG");
  EXPECT_EQ(ErrnoName(133), "EHWPOISON");
}

TEST(ErrnoName, IsANumberWhereThereIsNone) {
  EXPECT_EQ(ErrnoName(0), "errno 0");
  EXPECT_EQ(ErrnoName(531), "errno 531");
  EXPECT_EQ(ErrnoName(kLargest), "errno 4294967295");
}

TEST(SignalName, IsTheMacro) {
  EXPECT_EQ(SignalName(1), "SIGHUP");
  EXPECT_EQ(SignalName(9), "SIGKILL");
  EXPECT_EQ(SignalName(31), "SIGSYS");
}

TEST(SignalName, CountsRealTimeSignals) {
  EXPECT_EQ(SignalName(34), "SIGRTMIN");
  EXPECT_EQ(SignalName(37), "SIGRTMIN+3");
  EXPECT_EQ(SignalName(64), "SIGRTMIN+30");
}

TEST(SignalName, IsANumberWhereThereIsNone) {
  EXPECT_EQ(SignalName(0), "signal 0");
  EXPECT_EQ(SignalName(32), "signal 32");  // the C library keeps it for itself
  EXPECT_EQ(SignalName(65), "signal 65");
  EXPECT_EQ(SignalName(kLargest), "signal 4294967295");
}

TEST(ExitCodeName, TellsCodesFromSignals) {
  EXPECT_EQ(ExitCodeName(0), "0");
  EXPECT_EQ(ExitCodeName(255), "255");
  EXPECT_EQ(ExitCodeName(kSignalBase + 9), "SIGKILL");
  EXPECT_EQ(ExitCodeName(kSignalBase + 34), "SIGRTMIN");
  EXPECT_EQ(ExitCodeName(kSignalBase + 77), "signal 77");
}

TEST(PrintableComm, EndsAtTheNulOrAtTheEnd) {
  EXPECT_EQ(PrintableComm(Comm{}), "");
  EXPECT_EQ(PrintableComm(Comm{'s', 'h', '\0', 'x'}), "sh");
  EXPECT_EQ(PrintableComm(Comm{'a', '\n', '\xff'}), "a\\x0a\\xff");
  Comm full;
  full.fill('x');
  EXPECT_EQ(PrintableComm(full), "xxxxxxxxxxxxxxxx");
}

}  // namespace
}  // namespace sched_exporter
