// The event stream, line by line: against what a starter of children knows of each of them, and
// against Debian's tools for the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "tests/support/cgroup.h"
#include "tests/support/event_stream.h"
#include "tests/support/exporter.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/snoop.h"
#include "tests/support/starter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

const int kChildren = IsSanitized() ? 2'000 : 20'000;
constexpr int kFewChildren = 2'100;

std::uint64_t StepsIn(const Histories& histories) {
  std::uint64_t steps = 0;
  for (const auto& [pid, history] : histories) {
    steps += history.size();
  }
  return steps;
}

class StreamTest : public testing::Test {
 protected:
  void StartExporter(const std::string& more_events = "") {
    auto started = Exporter::Start({"cgroup: {hierarchy: " + host_.hierarchy +
                                        "}\n"
                                        "maps: {events_bytes: 67108864}\n"
                                        "events: {output: file, file: " +
                                        file_ + ", rotate_bytes: 4294967295" + more_events + "}\n",
                                    {},
                                    {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  void Run(Starter& starter) {
    auto report = starter.Run();
    ASSERT_TRUE(report) << report.error().message;
    report_ = std::move(*report);
  }

  /// Lines about the cgroup so far.
  std::size_t LinesOfCgroup() const {
    const std::string text = ReadFile(file_);
    const std::string mark = "\"cgroup\":\"" + cgroup_.label() + "\"";
    std::size_t count = 0;
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      ++count;
    }
    return count;
  }

  /// Waits for so many lines about the cgroup, ends the exporter and reads them all.
  std::vector<json> TakeEvents(std::size_t lines) {
    EXPECT_TRUE(WaitUntil([&] { return LinesOfCgroup() >= lines; }, std::chrono::seconds(15)))
        << LinesOfCgroup() << " lines instead of " << lines;
    const Ended ended = exporter_->End(SIGTERM);
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    auto events = ParseEvents(ReadFile(file_));
    EXPECT_TRUE(events) << events.error().message;
    return events ? std::move(*events) : std::vector<json>();
  }

  const CgroupHost host_ = TestableHierarchies().at(0);
  const TestCgroup cgroup_{host_, "stream"};
  const TempDirectory directory_;
  const std::string file_ = directory_.path() + "/events.json";
  std::unique_ptr<Exporter> exporter_;
  StarterReport report_;
};

void ExpectOrderedTimes(const std::vector<json>& events, const std::string& cgroup) {
  std::map<pid_t, std::string> last;
  int backwards = 0;
  for (const json& event : events) {
    if (event.value("cgroup", "") == cgroup) {
      // RFC 3339 with a fixed number of digits sorts as text.
      const std::string time = event.at("time");
      std::string& before = last[event.at("pid")];
      backwards += time < before ? 1 : 0;
      before = time;
    }
  }
  EXPECT_EQ(backwards, 0);
}

TEST_F(StreamTest, HoldsEveryEventOnceAndInOrder) {
  StartExporter();
  Starter starter({.children = kChildren, .cgroups = {cgroup_.directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(starter));
  const Histories wanted = HistoriesOf(report_, starter.comm());
  const std::vector<json> events = TakeEvents(StepsIn(wanted));
  EXPECT_THAT(HistoryDifferences(wanted, HistoriesOf(events, cgroup_.label())), IsEmpty());
  ExpectOrderedTimes(events, cgroup_.label());
  for (const json& event : events) {
    EXPECT_NE(event.at("event"), "lost") << event;
    if (event.value("cgroup", "") == cgroup_.label() && event.at("pid") != report_.starter) {
      ASSERT_EQ(event.at("ppid"), report_.starter) << event;
      ASSERT_EQ(event.at("uid"), 0) << event;
      ASSERT_EQ(event.at("group"), event.at("comm")) << event;
      ASSERT_FALSE(event.contains("args")) << event;
    }
  }
}

/// What two of libbpf-tools print about a starter's children, as histories in no order.
Histories ToolHistories(const std::vector<std::string>& execs,
                        const std::vector<std::string>& exits, const std::string& prefix) {
  Histories histories;
  std::string comm;
  std::string skipped;
  pid_t pid = 0;
  for (const std::string& line : execs) {
    int result = 0;
    if (std::istringstream(line) >> comm >> pid >> skipped >> result && comm.starts_with(prefix)) {
      histories[pid].push_back(
          result == 0 ? "exec " + comm : "exec_failed " + comm + " " + strerrorname_np(-result));
    }
  }
  for (const std::string& line : exits) {
    std::istringstream words(line);
    std::string code;
    if (words >> comm >> pid >> skipped >> skipped >> skipped >> code && comm.starts_with(prefix)) {
      int value = 0;
      words >> value;
      histories[pid].push_back(
          "exit " + comm + " " +
          (code == "signal" ? std::string("SIG") + sigabbrev_np(value) : std::to_string(value)));
    }
  }
  return histories;
}

/// exitsnoop takes the end of a leader for that of the process, also where a thread calls exec and
/// goes on in the leader's place (de_thread() in fs/exec.c).
void RemoveReplacedLeaders(const StarterReport& report, const std::string& comm,
                           Histories& histories) {
  for (const StartedChild& child : report.children) {
    if (child.how == How::kThread && child.executed) {
      std::vector<std::string>& history = histories[child.pid];
      const auto end = std::find_if(history.begin(), history.end(), [&](const std::string& step) {
        return step.starts_with("exit " + comm + " ");
      });
      if (end != history.end()) {
        history.erase(end);
      }
    }
  }
}

TEST_F(StreamTest, HoldsAllThatExecsnoopAndExitsnoopSee) {
  StartExporter();
  const auto execsnoop = Snoop::Start({"execsnoop", "--fails"});
  ASSERT_TRUE(execsnoop) << execsnoop.error().message;
  const auto exitsnoop = Snoop::Start({"exitsnoop"});
  ASSERT_TRUE(exitsnoop) << exitsnoop.error().message;
  Starter starter({.children = kFewChildren, .cgroups = {cgroup_.directory()}});
  ASSERT_NO_FATAL_FAILURE(Run(starter));
  const std::vector<std::string> exits = (*exitsnoop)->End();
  Histories seen = ToolHistories((*execsnoop)->End(), exits, starter.comm());
  RemoveReplacedLeaders(report_, starter.comm(), seen);
  // Neither sees all: no execveat, no exec by a thread; enough to be sure that they saw the load.
  EXPECT_GT(StepsIn(seen), static_cast<std::uint64_t>(kFewChildren));
  const Histories wanted = HistoriesOf(report_, starter.comm());
  Histories told = HistoriesOf(TakeEvents(StepsIn(wanted)), cgroup_.label());
  std::vector<std::string> missing;
  for (const auto& [pid, history] : seen) {
    for (const std::string& step : history) {
      const auto found = std::find(told[pid].begin(), told[pid].end(), step);
      if (found == told[pid].end()) {
        missing.push_back(std::to_string(pid) + " " + step);
      } else {
        told[pid].erase(found);
      }
    }
  }
  EXPECT_THAT(missing, IsEmpty());
}

/// Runs test_child under the path `program` with one more argument; false where it doesn't run.
bool RunChild(const TestCgroup& cgroup, std::string program, std::string argument) {
  return Wait(Fork([&] {
           std::string words[] = {"-1", "exit", "0"};
           char* argv[] = {program.data(),  words[0].data(), words[1].data(),
                           words[2].data(), argument.data(), nullptr};
           return cgroup.Add(0) && execv(program.c_str(), argv) == 0;
         })) == 0;
}

TEST_F(StreamTest, IsValidWhateverBytesNamesAndArgumentsHave) {
  StartExporter(", arguments: true, arguments_bytes: 512");
  std::vector<HostileName> names;
  for (const HostileName& name : HostileNameList()) {
    if (!name.bytes.empty()) {
      names.push_back(name);
      const std::string program = directory_.path() + "/" + name.bytes;
      std::filesystem::create_symlink(ChildProgram(), program);
      EXPECT_TRUE(RunChild(cgroup_, program, name.bytes));
    }
  }
  const std::vector<json> events = TakeEvents(2 * names.size());
  std::size_t next = 0;
  for (const json& event : events) {
    if (event.value("cgroup", "") == cgroup_.label() && event.at("event") == "exec") {
      ASSERT_LT(next, names.size());
      const HostileName& name = names[next++];
      EXPECT_EQ(event.at("comm"), name.comm);
      EXPECT_EQ(event.at("group"), name.group);
      ASSERT_EQ(event.at("args").size(), 5U) << event;
      if (name.bytes.size() < 16) {
        EXPECT_EQ(event.at("args").at(4), name.comm);
        EXPECT_EQ(event.at("exe"), directory_.path() + "/" + name.comm);
      }
      EXPECT_FALSE(event.contains("args_cut")) << event;
    }
  }
  EXPECT_EQ(next, names.size());
}

TEST_F(StreamTest, TellsThatArgumentsAreCut) {
  StartExporter(", arguments: true, arguments_bytes: 512");
  ASSERT_TRUE(RunChild(cgroup_, ChildProgram(), std::string(2000, 'a') + "end"));
  for (const json& event : TakeEvents(2)) {
    if (event.value("cgroup", "") == cgroup_.label() && event.at("event") == "exec") {
      EXPECT_EQ(event.value("args_cut", false), true) << event;
      EXPECT_EQ(event.dump().find("end\""), std::string::npos) << event;
      EXPECT_NE(event.dump().find("aaaaaaaa"), std::string::npos) << event;
    }
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
