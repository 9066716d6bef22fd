// /api/v1/events against what was started, and against the event stream.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/live_api.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

/// Of the programs that this test has started, which others may run, too.
std::vector<Json> MarkerEvents(const Exporter& exporter) {
  std::vector<Json> events;
  const Json answer = GetJson(exporter, "/api/v1/events?count=500");
  for (const Json& event : answer["events"]) {
    if (event.value("ppid", 0) == getpid()) {
      events.push_back(event);
    }
  }
  return events;
}

constexpr int kMarkers = 5;

/// Starts markers, which end with 1 to 5. What they did, once it is there; what else the machine
/// does may push it out of the memory, and then they are started again.
std::vector<Json> RunMarkers(const Exporter& exporter) {
  std::vector<Json> events;
  EXPECT_TRUE(WaitUntil([&] {
    const std::size_t before = MarkerEvents(exporter).size();
    for (int code = 1; code <= kMarkers; ++code) {
      RunProgram({ChildProgram(), "-1", "exit", std::to_string(code)});
    }
    WaitUntil([&] { return MarkerEvents(exporter).size() >= before + 2 * kMarkers; },
              std::chrono::seconds(3));
    events = MarkerEvents(exporter);
    if (events.size() >= 2 * kMarkers) {
      events.erase(events.begin(), events.end() - 2 * kMarkers);
    }
    return events.size() == 2 * kMarkers && events.back().value("exit_code", 0) == kMarkers;
  }));
  return events;
}

TEST(LiveApi, EventsAreThoseOfMarkersInOrder) {
  for (const std::string config : {"", "events: {output: stdout}\n"}) {
    const auto exporter = StartExporter(config);
    ASSERT_NE(exporter, nullptr);
    const std::vector<Json> events = RunMarkers(*exporter);
    int code = 0;
    for (const Json& event : events) {
      if (event["event"] == "exit") {
        EXPECT_EQ(event["exit_code"], ++code);
      } else {
        EXPECT_EQ(event["event"], "exec");
        EXPECT_EQ(event["exe"], ChildProgram());
      }
      EXPECT_FALSE(event.contains("args"));
    }
    EXPECT_EQ(code, kMarkers);
    const Json last = GetJson(*exporter, "/api/v1/events?count=1");
    EXPECT_EQ(last["events"].size(), 1U);
    EXPECT_EQ(last["lost"], 0);
  }
}

TEST(LiveApi, EventsAreTheVeryObjectsOfTheStream) {
  const auto exporter = StartExporter("events: {output: stdout, arguments: true}\n");
  ASSERT_NE(exporter, nullptr);
  for (const Json& event : RunMarkers(*exporter)) {
    EXPECT_TRUE(event.contains("args"));
    EXPECT_TRUE(WaitUntil([&] {
      return exporter->Log().find("\"time\":" + event["time"].dump()) != std::string::npos;
    }));
    const std::string log = exporter->Log();
    const std::size_t at = log.find("\"time\":" + event["time"].dump());
    const std::size_t end = log.find('\n', at);
    EXPECT_EQ(Json::parse(log.substr(at - 1, end - at + 1), nullptr, false), event);
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
