#include "exporter/events/rotating_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/support/resource_limit.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::ResourceLimit;

class RotatingFileTest : public testing::Test {
 protected:
  void Open(std::uint64_t max_bytes, std::uint32_t keep) {
    auto opened = RotatingFile::Open({path_, max_bytes, keep});
    ASSERT_TRUE(opened) << opened.error().message;
    file_ = std::move(*opened);
  }
  Result<void> Write(const std::string& line) {
    return file_->Write(line, [] { return false; });
  }
  void WriteAll(const std::string& letters) {
    for (const char letter : letters) {
      EXPECT_TRUE(Write(std::string(9, letter) + "\n"));
    }
  }
  /// The first characters of the lines of `path`.N; nothing where it doesn't exist.
  std::optional<std::string> Letters(int age) const {
    std::ifstream file(age == 0 ? path_ : path_ + "." + std::to_string(age));
    if (!file) {
      return std::nullopt;
    }
    std::string letters;
    for (std::string line; std::getline(file, line);) {
      EXPECT_EQ(line, std::string(9, line[0]));
      letters += line[0];
    }
    return letters;
  }
  std::string Content() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const test_support::TempDirectory directory_;
  const std::string path_ = directory_.path() + "/events";
  std::unique_ptr<RotatingFile> file_;
};

TEST_F(RotatingFileTest, IsForItsOwnerOnlyAndAppends) {
  Open(0, 0);
  WriteAll("ab");
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  Open(0, 0);
  WriteAll("c");
  EXPECT_EQ(Letters(0), "abc");
  EXPECT_FALSE(file_->IsOver());
}

TEST_F(RotatingFileTest, RotatesBeforeALineWouldTakeItPastTheBound) {
  Open(20, 2);
  WriteAll("ab");
  EXPECT_EQ(Letters(1), std::nullopt);
  WriteAll("cde");
  EXPECT_EQ(Letters(0), "e");
  EXPECT_EQ(Letters(1), "cd");
  EXPECT_EQ(Letters(2), "ab");
  WriteAll("fgh");
  EXPECT_EQ(Letters(0), "gh");
  EXPECT_EQ(Letters(1), "ef");
  EXPECT_EQ(Letters(2), "cd");
  EXPECT_EQ(Letters(3), std::nullopt);
}

TEST_F(RotatingFileTest, KeepsNoneWhereNoneIsWanted) {
  Open(20, 0);
  WriteAll("abc");
  EXPECT_EQ(Letters(0), "c");
  EXPECT_EQ(Letters(1), std::nullopt);
}

TEST_F(RotatingFileTest, CountsWhatWasThereBefore) {
  directory_.Write("events", "aaaaaaaaa\nbbbbbbbbb\n");
  Open(20, 1);
  WriteAll("c");
  EXPECT_EQ(Letters(0), "c");
  EXPECT_EQ(Letters(1), "ab");
}

TEST_F(RotatingFileTest, NeverSplitsALineThatIsLongerThanTheBound) {
  Open(20, 2);
  const std::string longer = std::string(50, 'x') + "\n";
  EXPECT_TRUE(Write(longer));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".1"));  // there was nothing to rotate
  WriteAll("a");
  EXPECT_TRUE(Write(longer));
  EXPECT_EQ(Content(), longer);
  WriteAll("b");
  EXPECT_EQ(Letters(0), "b");
  EXPECT_EQ(Letters(2), "a");
}

TEST_F(RotatingFileTest, BeginsAnewWhereOthersHaveRenamedIt) {
  Open(0, 0);
  WriteAll("a");
  std::filesystem::rename(path_, path_ + ".by-others");
  WriteAll("b");
  EXPECT_EQ(Letters(0), "b");
}

TEST_F(RotatingFileTest, RefusesWhatIsNoFile) {
  ASSERT_EQ(::symlink("/tmp/nowhere", path_.c_str()), 0);
  const auto link = RotatingFile::Open({path_, 0, 0});
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().message,
            "cannot open the events file " + path_ + ": Too many levels of symbolic links");
  const std::string fifo = directory_.path() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const auto pipe = RotatingFile::Open({fifo, 0, 0});
  ASSERT_FALSE(pipe);
  EXPECT_EQ(pipe.error().message, "cannot write events to " + fifo + ": not a regular file");
  const auto missing = RotatingFile::Open({directory_.path() + "/no/events", 0, 0});
  ASSERT_FALSE(missing);
}

TEST_F(RotatingFileTest, RemovesHalfALineThatACrashLeft) {
  directory_.Write("events", "{\"a\":1}\n{\"b\":");
  Open(0, 0);
  EXPECT_TRUE(Write("{\"c\":1}\n"));
  EXPECT_EQ(Content(), "{\"a\":1}\n{\"c\":1}\n");
}

TEST_F(RotatingFileTest, RemovesNothingThatIsNotOurs) {
  directory_.Write("events", "text\nwithout an end");
  Open(0, 0);
  EXPECT_TRUE(Write("{}\n"));
  EXPECT_EQ(Content(), "text\nwithout an end\n{}\n");
}

TEST_F(RotatingFileTest, LineThatDoesNotFitLeavesNothing) {
  Open(0, 0);
  WriteAll("a");
  {
    const ResourceLimit limit(RLIMIT_FSIZE, 15);
    const auto written = Write("bbbbbbbbb\n");
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().message,
              "cannot write to the events file " + path_ + ": File too large");
    EXPECT_EQ(Content(), "aaaaaaaaa\n");
  }
  WriteAll("c");
  EXPECT_EQ(Letters(0), "ac");
}

TEST_F(RotatingFileTest, MakesADeletedFileAnew) {
  Open(0, 0);
  WriteAll("a");
  std::filesystem::remove(path_);
  WriteAll("b");
  EXPECT_EQ(Letters(0), "b");
}

TEST_F(RotatingFileTest, FileThatOthersEmptiedIsShortAgain) {
  Open(20, 1);
  WriteAll("ab");
  std::filesystem::resize_file(path_, 0);
  WriteAll("cd");
  EXPECT_EQ(Letters(0), "cd");
  EXPECT_EQ(Letters(1), std::nullopt);
}

TEST_F(RotatingFileTest, MovesOldFilesNoFurtherThanItMust) {
  Open(20, 3);
  WriteAll("abcdef");
  std::filesystem::remove(path_ + ".1");
  WriteAll("g");
  EXPECT_EQ(Letters(0), "g");
  EXPECT_EQ(Letters(1), "ef");
  EXPECT_EQ(Letters(2), "ab");
  EXPECT_EQ(Letters(3), std::nullopt);
}

TEST_F(RotatingFileTest, GrowsNoFurtherWhereItCannotRotate) {
  Open(20, 1);
  WriteAll("ab");
  std::filesystem::create_directories(path_ + ".1/in the way");
  const auto written = Write("ccccccccc\n");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "cannot rotate the events file " + path_ + ": Is a directory");
  EXPECT_EQ(Letters(0), "ab");
  std::filesystem::remove_all(path_ + ".1");
  WriteAll("d");
  EXPECT_EQ(Letters(0), "d");
  EXPECT_EQ(Letters(1), "ab");
}

TEST_F(RotatingFileTest, GoesOnWhereTheNewFileCouldNotBeOpenedAtFirst) {
  Open(20, 2);
  WriteAll("abcd");
  {
    const ResourceLimit limit(RLIMIT_NOFILE, 0);
    EXPECT_FALSE(Write("eeeeeeeee\n"));
    EXPECT_FALSE(Write("fffffffff\n"));
  }
  WriteAll("g");
  EXPECT_EQ(Letters(0), "g");
  EXPECT_EQ(Letters(1), "cd");
  EXPECT_EQ(Letters(2), "ab");
}

}  // namespace
}  // namespace sched_exporter
