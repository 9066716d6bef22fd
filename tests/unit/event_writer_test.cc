#include "exporter/events/event_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "exporter/base/unique_fd.h"
#include "exporter/events/descriptor_sink.h"
#include "tests/support/line_stream.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;
using test_support::Line;
using test_support::Pipe;
using test_support::Stream;
using test_support::WaitUntil;

/// Takes what the test lets it take.
class FakeSink : public LineSink {
 public:
  Result<void> Write(std::string_view line, const GiveUp& give_up) override {
    ++calls;
    while (held && !give_up()) {
      if (permits > 0) {
        --permits;
        break;
      }
      std::this_thread::sleep_for(1ms);
    }
    if (give_up()) {
      return Fail("gave up");
    }
    if (fails) {
      return Fail("no space");
    }
    const std::lock_guard lock(mutex);
    text += line;
    return {};
  }
  bool IsOver() const override { return over; }

  Stream Read() {
    const std::lock_guard lock(mutex);
    return Stream(text);
  }

  std::atomic<bool> held = false;
  std::atomic<int> permits = 0;  ///< Lines that get through though it is held.
  std::atomic<bool> fails = false;
  std::atomic<bool> over = false;
  std::atomic<int> calls = 0;
  std::mutex mutex;
  std::string text;
};

class EventWriterTest : public testing::Test {
 protected:
  EventWriter::Log Log() {
    return [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      log_.push_back(line);
    };
  }
  std::vector<std::string> Logged() {
    const std::lock_guard lock(mutex_);
    return log_;
  }
  void Start(std::unique_ptr<LineSink> sink) {
    writer_ = std::make_unique<EventWriter>(std::move(sink), Log());
  }
  FakeSink& StartFake() {
    auto sink = std::make_unique<FakeSink>();
    FakeSink& fake = *sink;
    Start(std::move(sink));
    return fake;
  }
  void StartOn(int fd) { Start(std::make_unique<DescriptorSink>(fd, "the test's pipe")); }
  static constexpr std::uint64_t kMost = EventWriter::kMostLines;

  /// From here on the sink takes nothing; line 0 is with it, the queue is full with 1 to kMost.
  void FillAndLose(FakeSink& sink, std::uint64_t lost) {
    sink.held = true;
    writer_->Write(Line(0));
    ASSERT_TRUE(WaitUntil([&] { return sink.calls == 1; }));
    for (std::uint64_t i = 1; i <= kMost + lost; ++i) {
      writer_->Write(Line(static_cast<int>(i)));
    }
    EXPECT_EQ(writer_->stats().lost, lost);
  }
  bool WaitFor(std::uint64_t written, std::uint64_t lost) const {
    return WaitUntil([&] {
      const EventWriter::Stats stats = writer_->stats();
      return stats.written == written && stats.lost == lost;
    });
  }
  /// How long the writer takes to end, and that it ends.
  std::chrono::milliseconds End() {
    const auto begin = std::chrono::steady_clock::now();
    writer_.reset();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
  }

  std::mutex mutex_;
  std::vector<std::string> log_;
  std::unique_ptr<EventWriter> writer_;
};

TEST_F(EventWriterTest, WritesAllInOrderAndBeforeItEnds) {
  Pipe pipe;
  StartOn(pipe.in.get());
  for (int i = 0; i < 1'000; ++i) {
    writer_->Write(Line(i));
  }
  End();
  const Stream stream(pipe.ReadAll());
  ASSERT_EQ(stream.numbers.size(), 1'000U);
  EXPECT_TRUE(std::is_sorted(stream.numbers.begin(), stream.numbers.end()));
  EXPECT_EQ(stream.lost, 0U);
}

TEST_F(EventWriterTest, LinesFromManyThreadsStayWholeAndNoneIsForgotten) {
  FakeSink& sink = StartFake();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) {
        writer_->Write(Line(i));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  ASSERT_TRUE(WaitUntil([&] {
    const EventWriter::Stats stats = writer_->stats();
    return stats.written + stats.lost == 20'000;
  }));
  ASSERT_TRUE(WaitUntil([&] { return sink.Read().lost == writer_->stats().lost; }));
  EXPECT_EQ(sink.Read().numbers.size(), writer_->stats().written);
}

TEST_F(EventWriterTest, GapIsToldAtItsPlace) {
  FakeSink& sink = StartFake();
  FillAndLose(sink, 7);
  sink.permits = 1;
  ASSERT_TRUE(WaitUntil([&] { return sink.calls == 2; }));  // there is room for one
  writer_->Write(Line(-1));
  EXPECT_EQ(writer_->stats().lost, 7U);
  sink.held = false;
  ASSERT_TRUE(WaitFor(kMost + 2, 7));
  const Stream stream = sink.Read();
  EXPECT_EQ(stream.lost, 7U);
  ASSERT_EQ(stream.gaps_before.size(), 1U);
  EXPECT_EQ(stream.numbers.at(stream.gaps_before[0] - 1), static_cast<int>(kMost));
  EXPECT_EQ(stream.numbers.at(stream.gaps_before[0]), -1);
}

TEST_F(EventWriterTest, GapIsToldAlsoWhereNoLineFollows) {
  FakeSink& sink = StartFake();
  FillAndLose(sink, 7);
  sink.held = false;
  ASSERT_TRUE(WaitUntil([&] { return sink.Read().lost == 7; }));
  EXPECT_EQ(writer_->stats().written, kMost + 1);
}

TEST_F(EventWriterTest, QueueIsBoundedInBytes) {
  FakeSink& sink = StartFake();
  sink.held = true;
  writer_->Write(Line(0));
  ASSERT_TRUE(WaitUntil([&] { return sink.calls == 1; }));
  const std::string half = "{\"n\":1" + std::string(EventWriter::kMostBytes / 2 - 8, ' ') + "}\n";
  ASSERT_EQ(half.size() * 2, EventWriter::kMostBytes);
  writer_->Write(half);
  writer_->Write(half);
  EXPECT_EQ(writer_->stats().lost, 0U);
  writer_->Write(Line(2));
  EXPECT_EQ(writer_->stats().lost, 1U);
  sink.held = false;
  ASSERT_TRUE(WaitFor(3, 1));
  writer_->Write(half);  // there is room again
  ASSERT_TRUE(WaitFor(4, 1));
}

TEST_F(EventWriterTest, FailureIsLoggedOnceAndLinesAreCountedAndTold) {
  FakeSink& sink = StartFake();
  writer_->Write(Line(0));
  ASSERT_TRUE(WaitFor(1, 0));
  sink.fails = true;
  for (int i = 0; i < 1'000; ++i) {
    writer_->Write(Line(i));
  }
  ASSERT_TRUE(WaitFor(1, 1'000));
  const int calls = sink.calls;
  EXPECT_LT(calls, 500);  // not each line is tried while it fails
  ASSERT_TRUE(WaitUntil([&] { return sink.calls > calls; }));
  EXPECT_THAT(Logged(), testing::ElementsAre("no space"));
  sink.fails = false;
  ASSERT_TRUE(WaitUntil([&] { return sink.Read().lost == 1'000; }));
  writer_->Write(Line(3));
  ASSERT_TRUE(WaitFor(2, 1'000));
  EXPECT_EQ(sink.Read().numbers, (std::vector<int>{0, 3}));
  EXPECT_EQ(sink.Read().gaps_before, (std::vector<std::size_t>{1}));
}

TEST_F(EventWriterTest, WhatIsOverIsNotTriedAgain) {
  FakeSink& sink = StartFake();
  sink.fails = true;
  sink.over = true;
  for (int i = 0; i < 100; ++i) {
    writer_->Write(Line(i));
  }
  ASSERT_TRUE(WaitFor(0, 100));
  EXPECT_EQ(sink.calls, 0);
}

TEST_F(EventWriterTest, SlowReaderGetsAllWholeLines) {
  Pipe pipe;
  ::fcntl(pipe.in.get(), F_SETPIPE_SZ, 4096);
  StartOn(pipe.in.get());
  const std::string space(5'000, ' ');  // more than the pipe holds
  for (int i = 0; i < 50; ++i) {
    writer_->Write("{\"n\":" + std::to_string(i) + space + "}\n");
  }
  std::string text;
  std::array<char, 100> buffer{};
  while (text.size() < 50 * 5'008 && !testing::Test::HasFailure()) {
    pollfd readable{pipe.out.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&readable, 1, 60'000), 1);
    const ssize_t count = ::read(pipe.out.get(), buffer.data(), buffer.size());
    ASSERT_GT(count, 0);
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (writer_->stats().written == 50) {
      break;
    }
  }
  ASSERT_TRUE(WaitFor(50, 0));
  End();
  const Stream stream(text + pipe.ReadAll());
  EXPECT_EQ(stream.numbers.size(), 50U);
}

TEST_F(EventWriterTest, BrokenPipeIsSaidOnceAndKillsNobody) {
  Pipe pipe;
  StartOn(pipe.in.get());
  pipe.out = UniqueFd();
  for (int i = 0; i < 10; ++i) {
    writer_->Write(Line(i));
  }
  ASSERT_TRUE(WaitFor(0, 10));
  EXPECT_THAT(Logged(), testing::ElementsAre("cannot write to the test's pipe: Broken pipe"));
}

TEST_F(EventWriterTest, FullDiskIsSaidOnce) {
  const UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  StartOn(full.get());
  for (int i = 0; i < 10; ++i) {
    writer_->Write(Line(i));
  }
  ASSERT_TRUE(WaitFor(0, 10));
  EXPECT_THAT(Logged(),
              testing::ElementsAre("cannot write to the test's pipe: No space left on device"));
}

TEST_F(EventWriterTest, WritesAFile) {
  const test_support::TempDirectory directory;
  const std::string path = directory.path() + "/events";
  auto opened = EventWriter::Open({EventOutput::Kind::kFile, path, 20, 1}, Log());
  ASSERT_TRUE(opened) << opened.error().message;
  writer_ = std::move(*opened);
  for (int i = 0; i < 4; ++i) {
    writer_->Write(Line(i));  // of 8 bytes
  }
  End();
  std::ostringstream text;
  text << std::ifstream(path + ".1").rdbuf() << std::ifstream(path).rdbuf();
  EXPECT_EQ(Stream(text.str()).numbers, (std::vector<int>{0, 1, 2, 3}));
}

TEST_F(EventWriterTest, FileThatCannotBeOpenedIsSaidAtOnce) {
  const auto opened = EventWriter::Open({EventOutput::Kind::kFile, "/no/events", 0, 0}, Log());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message,
            "cannot open the events file /no/events: No such file or directory");
}

struct OutputKind {
  const char* name;
  int (*open)(int* ends);
};

void PrintTo(const OutputKind& kind, std::ostream* out) { *out << kind.name; }

/// The reader's side and the writer's.
class EventWriterOutputTest : public EventWriterTest,
                              public testing::WithParamInterface<OutputKind> {};

TEST_P(EventWriterOutputTest, ReaderThatNeverReadsBlocksNobody) {
  const std::string line = "{\"n\":1" + std::string(10'000, ' ') + "}\n";
  Pipe pipe(GetParam().open);
  StartOn(pipe.in.get());
  while (writer_->stats().lost == 0) {  // returns though nothing goes on
    writer_->Write(line);
  }
  EXPECT_LT(End(), 10s);
  EXPECT_EQ(::fcntl(pipe.in.get(), F_GETFL) & O_NONBLOCK, 0);  // others share it
  EXPECT_THAT(Logged(),
              testing::ElementsAre("cannot write to the test's pipe: it takes nothing",
                                   testing::MatchesRegex("ended with [0-9]+ events unwritten")));
}

INSTANTIATE_TEST_SUITE_P(
    All, EventWriterOutputTest,
    testing::Values(
        OutputKind{"pipe", [](int* ends) { return ::pipe2(ends, O_CLOEXEC); }},
        OutputKind{"socket", [](int* ends) { return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends); }},
        OutputKind{
            "terminal",
            [](int* ends) { return ::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr); }}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace sched_exporter
