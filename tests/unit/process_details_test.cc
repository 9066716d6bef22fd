#include "exporter/identity/process_details.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::TempDirectory;

class ProcessDetailsTest : public testing::Test {
 protected:
  ProcessDetailsTest() {
    row_.pid = 42;
    row_.comm = "app";
    row_.population.oldest_start_ns = 1000;
  }
  /// /proc/42/exe of a made-up /proc.
  void LinkExe(const std::string& target) const {
    const std::filesystem::path directory = procfs_.path() + "/42";
    std::filesystem::create_directories(directory);
    std::filesystem::remove(directory / "exe");
    std::filesystem::create_symlink(target, directory / "exe");
  }

  TempDirectory procfs_;
  ProcessRow row_;
};

TEST_F(ProcessDetailsTest, ReadsTheExe) {
  LinkExe("/usr/bin/app");
  ProcessDetails details({procfs_.path(), "", ""});
  EXPECT_EQ(details.Of(row_).exe, "/usr/bin/app");
}

TEST_F(ProcessDetailsTest, TheExeIsPrintable) {
  LinkExe("/tmp/a\nb\xff");
  ProcessDetails details({procfs_.path(), "", ""});
  EXPECT_EQ(details.Of(row_).exe, "/tmp/a\\x0ab\\xff");
}

TEST_F(ProcessDetailsTest, AProcessThatIsGoneHasNoExe) {
  ProcessDetails details({procfs_.path(), "", ""});
  EXPECT_EQ(details.Of(row_).exe, "");
}

TEST_F(ProcessDetailsTest, AKernelThreadHasNoExe) {
  LinkExe("/usr/bin/app");
  row_.kernel_thread = true;
  ProcessDetails details({procfs_.path(), "", ""});
  EXPECT_EQ(details.Of(row_).exe, "");
}

TEST_F(ProcessDetailsTest, IsReadAgainOnlyForANewNameOwnerOrProcess) {
  LinkExe("/first");
  ProcessDetails details({procfs_.path(), "", ""});
  EXPECT_EQ(details.Of(row_).exe, "/first");
  LinkExe("/second");
  EXPECT_EQ(details.Of(row_).exe, "/first");
  row_.comm = "renamed";
  EXPECT_EQ(details.Of(row_).exe, "/second");
  LinkExe("/third");
  row_.population.oldest_start_ns = 2000;  // the pid is used again
  EXPECT_EQ(details.Of(row_).exe, "/third");
  LinkExe("/fourth");
  row_.uid = 7;
  EXPECT_EQ(details.Of(row_).exe, "/fourth");
}

TEST_F(ProcessDetailsTest, WhoIsNotAskedForIsForgotten) {
  LinkExe("/first");
  ProcessDetails details({procfs_.path(), "", ""});
  details.Of(row_);
  details.Prune();  // it was asked for since the last one
  LinkExe("/second");
  EXPECT_EQ(details.Of(row_).exe, "/first");
  details.Prune();
  details.Prune();
  EXPECT_EQ(details.Of(row_).exe, "/second");
}

TEST_F(ProcessDetailsTest, UsersHaveNamesOrNumbers) {
  ProcessDetails details({procfs_.path(), "", ""});
  row_.uid = 0;
  EXPECT_EQ(details.Of(row_).user, "root");
  row_.uid = 3'999'999'999;
  EXPECT_EQ(details.Of(row_).user, "3999999999");
}

}  // namespace
}  // namespace sched_exporter
