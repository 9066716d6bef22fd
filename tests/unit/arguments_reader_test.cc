#include "exporter/identity/arguments_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "exporter/base/unique_fd.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using test_support::TempDirectory;
using test_support::WaitUntil;

/// A made-up /proc.
class ArgumentsReaderTest : public testing::Test {
 protected:
  ArgumentsReaderTest() {
    for (const char* pid : {"1", "2", "3"}) {
      std::filesystem::create_directories(procfs_.path() + "/" + pid);
    }
    procfs_.Write("1/cmdline", "a\0b\0"s);
    procfs_.Write("2/cmdline", std::string(1'000'000, 'x'));
    // Whoever opens a FIFO waits for somebody at its other end.
    mkfifo((procfs_.path() + "/3/cmdline").c_str(), 0600);
  }
  void LetGo() const {
    const UniqueFd writer(::open((procfs_.path() + "/3/cmdline").c_str(), O_WRONLY | O_CLOEXEC));
  }

  TempDirectory procfs_;
};

TEST_F(ArgumentsReaderTest, ReadsInTheCallersThreadAndInItsOwn) {
  ArgumentsReader reader(procfs_.path());
  EXPECT_EQ(reader.Read(1), "a\0b\0"s);
  reader.Start();
  EXPECT_TRUE(WaitUntil([&] { return reader.Read(1) == "a\0b\0"s; }));
  EXPECT_EQ(reader.Read(99), "");
}

TEST_F(ArgumentsReaderTest, ReadsNoMoreThanRulesLookAt) {
  EXPECT_EQ(ArgumentsReader(procfs_.path()).Read(2).size(), 4096);
}

TEST_F(ArgumentsReaderTest, WaitsForNobody) {
  ArgumentsReader reader(procfs_.path());
  reader.Start();
  EXPECT_EQ(reader.Read(3), "");
  EXPECT_EQ(reader.Read(1), "") << "the thread hangs";
  LetGo();
  EXPECT_TRUE(WaitUntil([&] { return reader.Read(1) == "a\0b\0"s; }));
}

TEST_F(ArgumentsReaderTest, EndsWhileItsThreadHangs) {
  {
    ArgumentsReader reader(procfs_.path());
    reader.Start();
    EXPECT_EQ(reader.Read(3), "");
  }
  LetGo();
}

}  // namespace
}  // namespace sched_exporter
