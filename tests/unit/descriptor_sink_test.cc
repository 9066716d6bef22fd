#include "exporter/events/descriptor_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "tests/support/line_stream.h"
#include "tests/support/resource_limit.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::Line;
using test_support::Pipe;
using test_support::Stream;

TEST(DescriptorSink, CompletesALineThatAFailureCut) {
  const test_support::TempDirectory directory;
  const std::string path = directory.Write("out", "");
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  DescriptorSink sink(file.get(), "out");
  const GiveUp never = [] { return false; };
  {
    const test_support::ResourceLimit limit(RLIMIT_FSIZE, 12);
    EXPECT_TRUE(sink.Write(Line(1), never));
    EXPECT_TRUE(sink.Write(Line(2), never));   // half of it
    EXPECT_FALSE(sink.Write(Line(3), never));  // nothing
  }
  EXPECT_TRUE(sink.Write(Line(4), never));
  EXPECT_TRUE(sink.Write(Line(5), never));
  EXPECT_FALSE(sink.IsOver());
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(Stream(text.str()).numbers, (std::vector<int>{1, 2, 4, 5}));
}

TEST(DescriptorSink, IsOverWhereNobodyWillRead) {
  Pipe pipe([](int* ends) { return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends); });
  DescriptorSink sink(pipe.in.get(), "socket");
  const GiveUp never = [] { return false; };
  EXPECT_TRUE(sink.Write(Line(1), never));
  EXPECT_FALSE(sink.IsOver());
  pipe.out = UniqueFd();
  EXPECT_FALSE(sink.Write(Line(2), never));
  EXPECT_TRUE(sink.IsOver());
}

}  // namespace
}  // namespace sched_exporter
