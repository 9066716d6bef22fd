// Where the event stream goes: files that are rotated, and a reader that doesn't read.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <memory>
#include <utility>

#include "exporter/base/unique_fd.h"
#include "tests/support/cgroup.h"
#include "tests/support/event_stream.h"
#include "tests/support/exporter.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

constexpr std::uintmax_t kRotateBytes = 65'536;

/// Nothing is lost on the way from the kernel.
const std::string kRoomy = "events_bytes: 67108864";

class StreamOutput : public testing::Test {
 protected:
  void StartExporter(const std::string& events, const std::vector<std::string>& prefix = {}) {
    const CgroupHost& host = host_;
    auto started = Exporter::Start(
        {"cgroup: {hierarchy: " + host.hierarchy + "}\nevents: {" + events + "}\n", {}, prefix});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// Runs children in the cgroup and keeps the end of the starter as it stands in the stream.
  void Run(int children) {
    Starter starter({.children = children, .cgroups = {cgroup_.directory()}});
    auto report = starter.Run();
    ASSERT_TRUE(report) << report.error().message;
    comm_ = starter.comm();
    report_ = std::move(*report);
  }

  /// All that was written so far is there: the end of the starter is the last of its events.
  bool HasEnd(const std::string& text) const {
    const std::string pid = "\"pid\":" + std::to_string(report_.starter) + ",";
    const std::size_t at = text.rfind(pid);
    return at != std::string::npos &&
           text.substr(0, at).rfind("\"event\":\"exit\"") > text.substr(0, at).rfind('\n');
  }

  /// Until the end of the starter is in one of the files.
  bool AwaitEnd() const {
    return WaitUntil([this] {
      const std::vector<std::string> files = Files();
      return std::any_of(files.begin(), files.end(),
                         [this](const std::string& file) { return HasEnd(ReadFile(file)); });
    });
  }

  /// The stream's files, oldest first.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    const auto old = [&](int age) { return file_ + "." + std::to_string(age); };
    for (int age = 1; std::filesystem::exists(old(age)); ++age) {
      files.insert(files.begin(), old(age));
    }
    files.push_back(file_);
    return files;
  }

  const CgroupHost host_ = TestableHierarchies().at(0);
  const TestCgroup cgroup_{host_, "output"};
  const TempDirectory directory_;
  const std::string file_ = directory_.path() + "/events.json";
  std::unique_ptr<Exporter> exporter_;
  std::string comm_;
  StarterReport report_;
};

TEST_F(StreamOutput, HoldsEveryExitAlsoWhereTheExporterEndsAtOnce) {
  StartExporter("output: file, file: " + file_);
  Run(300);
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  const auto events = ParseEvents(ReadFile(file_));
  ASSERT_TRUE(events) << events.error().message;
  EXPECT_THAT(
      HistoryDifferences(HistoriesOf(report_, comm_), HistoriesOf(*events, cgroup_.label())),
      IsEmpty());
}

TEST_F(StreamOutput, RotationLosesNoLine) {
  StartExporter("output: file, file: " + file_ + ", rotate_bytes: " + std::to_string(kRotateBytes) +
                ", keep: 1000}\nmaps: {" + kRoomy);
  ASSERT_NO_FATAL_FAILURE(Run(1'400));
  ASSERT_TRUE(AwaitEnd());
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  const std::vector<std::string> files = Files();
  EXPECT_GT(files.size(), 3U);
  std::vector<json> all;
  for (const std::string& file : files) {
    EXPECT_LE(std::filesystem::file_size(file), kRotateBytes);
    const auto events = ParseEvents(ReadFile(file));
    ASSERT_TRUE(events) << file << ": " << events.error().message;
    all.insert(all.end(), events->begin(), events->end());
  }
  EXPECT_THAT(HistoryDifferences(HistoriesOf(report_, comm_), HistoriesOf(all, cgroup_.label())),
              IsEmpty());
}

TEST_F(StreamOutput, NoMoreOldFilesAreKeptThanAsked) {
  StartExporter("output: file, file: " + file_ + ", rotate_bytes: " + std::to_string(kRotateBytes) +
                ", keep: 2}\nmaps: {" + kRoomy);
  ASSERT_NO_FATAL_FAILURE(Run(1'400));
  // Not until the starter's end is in one of them: what others on this host do may rotate it away.
  ASSERT_TRUE(WaitUntil([this] { return Files().size() == 3; }));
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  EXPECT_EQ(Files().size(), 3U);
  std::size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    ++entries;
    struct stat status {};
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path() << " may hold command lines";
    EXPECT_LE(static_cast<std::uintmax_t>(status.st_size), kRotateBytes);
    const auto events = ParseEvents(ReadFile(entry.path()));
    EXPECT_TRUE(events) << entry.path() << ": " << events.error().message;
  }
  EXPECT_EQ(entries, 3U);
}

/// Events that a stream says are missing.
double ToldLost(const std::string& text) {
  const auto events = ParseEvents(text.substr(0, text.rfind('\n') + 1));
  EXPECT_TRUE(events) << events.error().message;
  double told = 0;
  for (const json& event : events ? *events : std::vector<json>()) {
    told += event.at("event") == "lost" ? event.at("lost").get<double>() : 0;
  }
  return told;
}

TEST_F(StreamOutput, GapInTheKernelsBufferIsTold) {
  StartExporter("output: file, file: " + file_ + "}\nmaps: {events_bytes: 4096");
  kill(exporter_->pid(), SIGSTOP);
  ASSERT_NO_FATAL_FAILURE(Run(700));
  kill(exporter_->pid(), SIGCONT);
  // Forks are no lines of the stream, but may be what was lost. Others on this host may lose some
  // at any time.
  const auto counted = [this] {
    const auto metrics = exporter_->Scrape();
    return metrics ? metrics->Sum("sched_exporter_lost_events_total", {{"buffer", "lifecycle"}})
                   : 0;
  };
  ASSERT_TRUE(WaitUntil([&] { return counted() > 1'000; }));
  const double at_least = counted();
  double told = 0;
  EXPECT_TRUE(WaitUntil([&] { return (told = ToldLost(ReadFile(file_))) >= at_least; }))
      << told << " instead of " << at_least;
  EXPECT_LE(told, counted());
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  EXPECT_TRUE(ParseEvents(ReadFile(file_)));
}

/// A pipe that the exporter has as its standard output, and whose reader reads when told.
class SlowReader {
 public:
  explicit SlowReader(std::string path) : path_(std::move(path)) {
    mkfifo(path_.c_str(), 0600);
    fd_ = UniqueFd(open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }

  std::vector<std::string> Prefix() const { return {"sh", "-c", "exec \"$@\" >\"$0\"", path_}; }

  /// What there is now; appended to text().
  void Read() {
    char bytes[65'536];
    ssize_t got = 0;
    while ((got = read(fd_.get(), bytes, sizeof(bytes))) > 0) {
      text_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  const std::string& text() const { return text_; }

 private:
  std::string path_;
  UniqueFd fd_;
  std::string text_;
};

TEST_F(StreamOutput, ReaderThatStandsStillHoldsUpNothingAndIsToldOfTheGap) {
  SlowReader reader(directory_.path() + "/pipe");
  StartExporter("output: stdout}\nmaps: {" + kRoomy, reader.Prefix());
  const auto lost = [&] {
    const auto metrics = exporter_->Scrape();
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics ? metrics->Sum("sched_exporter_lost_events_total", {{"buffer", "stream"}}) : -1;
  };
  EXPECT_EQ(lost(), 0);
  // More lines than the pipe and the exporter's queue have room for.
  for (int i = 0; i < 20 && lost() == 0; ++i) {
    ASSERT_NO_FATAL_FAILURE(Run(2'000));
  }
  EXPECT_GT(lost(), 0);
  EXPECT_TRUE(exporter_->Scrape()) << "nobody waits for the reader";
  // Reading goes on, and so does the stream: what happens now is there again.
  std::size_t size = 0;
  EXPECT_TRUE(WaitUntil([&] {
    reader.Read();
    return reader.text().find("\"event\":\"lost\"") != std::string::npos &&
           std::exchange(size, reader.text().size()) == reader.text().size();
  }));
  ASSERT_NO_FATAL_FAILURE(Run(70));
  EXPECT_TRUE(WaitUntil([&] {
    reader.Read();
    return HasEnd(reader.text());
  }));
  const double counted = lost();
  EXPECT_EQ(exporter_->End(SIGTERM).exit_code, 0);
  reader.Read();
  const auto events = ParseEvents(reader.text());
  ASSERT_TRUE(events) << events.error().message;
  std::vector<json> after;
  for (const json& event : *events) {
    if (event.at("event") == "lost") {
      EXPECT_EQ(event.at("buffer"), "stream");
      after.clear();
    }
    after.push_back(event);
  }
  EXPECT_EQ(ToldLost(reader.text()), counted);
  after.erase(std::remove_if(
                  after.begin(), after.end(),
                  [&](const json& event) { return !event.value("comm", "").starts_with(comm_); }),
              after.end());
  EXPECT_THAT(HistoryDifferences(HistoriesOf(report_, comm_), HistoriesOf(after, cgroup_.label())),
              IsEmpty());
}

}  // namespace
}  // namespace sched_exporter::test_support
