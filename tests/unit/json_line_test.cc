#include "exporter/events/json_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using Type = LifecycleEvent::Type;

// 2026-11-21T10:00:00Z
constexpr std::uint64_t kTime = 1'795'255'200'123'456'789;

ProgramImagePtr Image(const std::string& file, const std::string& arguments) {
  ProgramImage image;
  image.file = file;
  image.arguments = arguments;
  return std::make_shared<const ProgramImage>(image);
}

LifecycleEvent Event(Type type) {
  LifecycleEvent event;
  event.type = type;
  event.time_unix_ns = kTime;
  event.pid = 42;
  event.ppid = 1;
  event.uid = 33;
  event.comm = "sh";
  event.group = "shells";
  event.cgroup = "/system.slice";
  return event;
}

TEST(JsonLine, WhoIsInTheCgroup) {
  LifecycleEvent event = Event(Type::kOomKill);
  event.cgroup_labels = {{"container", "app"}, {"namespace", "shop"}, {"pod", "checkout-7d9f"}};
  EXPECT_THAT(JsonLine(event, false),
              testing::HasSubstr(R"("cgroup":"/system.slice","container":"app",)"
                                 R"("namespace":"shop","pod":"checkout-7d9f")"));
}

TEST(JsonLine, Exec) {
  LifecycleEvent event = Event(Type::kExec);
  event.image = Image("/bin/sh", "sh\0-c\0\0true\0"s);
  EXPECT_EQ(JsonLine(event, true),
            R"({"time":"2026-11-21T10:00:00.123456789Z","event":"exec","pid":42,"ppid":1,"uid":33,)"
            R"("comm":"sh","group":"shells","exe":"/bin/sh","cgroup":"/system.slice",)"
            R"("args":["sh","-c","","true"]})"
            "\n");
}

TEST(JsonLine, ArgumentsOnlyWhereAskedFor) {
  LifecycleEvent event = Event(Type::kExec);
  event.image = Image("/bin/sh", "sh\0secret\0"s);
  EXPECT_EQ(JsonLine(event, false).find("args"), std::string::npos);
  EXPECT_EQ(JsonLine(event, false).find("secret"), std::string::npos);
}

TEST(JsonLine, FailedExec) {
  LifecycleEvent event = Event(Type::kExecFailed);
  event.code = 2;
  event.image = Image("/no", "");
  EXPECT_EQ(JsonLine(event, false),
            R"({"time":"2026-11-21T10:00:00.123456789Z","event":"exec_failed","pid":42,"ppid":1,)"
            R"("uid":33,"comm":"sh","group":"shells","exe":"/no","cgroup":"/system.slice",)"
            R"("errno":"ENOENT"})"
            "\n");
}

TEST(JsonLine, ExitWithoutAnImage) {
  LifecycleEvent event = Event(Type::kExit);
  event.code = 3;
  event.run_ns = 1'500'000'000;
  event.wait_ns = 1;
  event.lifetime_ns = 0;
  EXPECT_EQ(JsonLine(event, true),
            R"({"time":"2026-11-21T10:00:00.123456789Z","event":"exit","pid":42,"ppid":1,"uid":33,)"
            R"("comm":"sh","group":"shells","cgroup":"/system.slice","exit_code":3,)"
            R"("run_seconds":1.5,"wait_seconds":0.000000001,"lifetime_seconds":0.0})"
            "\n");
}

TEST(JsonLine, WhatNobodyToldOfAnExitIsLeftOut) {
  LifecycleEvent event = Event(Type::kExit);
  event.code = kOtherCode;
  const auto json = nlohmann::json::parse(JsonLine(event, false));
  for (const char* unknown : {"exit_code", "signal", "wait_seconds"}) {
    EXPECT_FALSE(json.contains(unknown)) << unknown;
  }
  EXPECT_TRUE(json.contains("run_seconds"));
}

TEST(JsonLine, KilledProcessHasASignalInsteadOfACode) {
  LifecycleEvent event = Event(Type::kExit);
  event.code = kSignalBase + 9;
  const auto json = nlohmann::json::parse(JsonLine(event, false));
  EXPECT_EQ(json["signal"], "SIGKILL");
  EXPECT_FALSE(json.contains("exit_code"));
}

TEST(JsonLine, SecondsAreExactWhereADoubleIsNot) {
  LifecycleEvent event = Event(Type::kExit);
  event.lifetime_ns = std::numeric_limits<std::uint64_t>::max();
  event.run_ns = 31'536'000'123'456'789;
  const std::string line = JsonLine(event, false);
  EXPECT_NE(line.find("\"lifetime_seconds\":18446744073.709551615"), std::string::npos) << line;
  EXPECT_NE(line.find("\"run_seconds\":31536000.123456789"), std::string::npos) << line;
}

TEST(JsonLine, OomKill) {
  const auto json = nlohmann::json::parse(JsonLine(Event(Type::kOomKill), false));
  EXPECT_EQ(json["event"], "oom_kill");
  EXPECT_EQ(json["pid"], 42);
  EXPECT_FALSE(json.contains("run_seconds"));
  EXPECT_FALSE(json.contains("exit_code"));
}

TEST(JsonLine, Lost) {
  LifecycleEvent event;
  event.type = Type::kLost;
  event.time_unix_ns = 1;
  event.buffer = "stream";
  event.lost = 17;
  EXPECT_EQ(JsonLine(event, true),
            "{\"time\":\"1970-01-01T00:00:00.000000001Z\",\"event\":\"lost\","
            "\"buffer\":\"stream\",\"lost\":17}\n");
}

TEST(JsonLine, CutsAreMarked) {
  LifecycleEvent event = Event(Type::kExec);
  ProgramImage image;
  image.file = "/long";
  image.file_cut = true;
  image.arguments = "a\0half"s;
  image.arguments_cut = true;
  event.image = std::make_shared<const ProgramImage>(image);
  const auto json = nlohmann::json::parse(JsonLine(event, true));
  EXPECT_EQ(json["args"], (nlohmann::json{"a", "half"}));
  EXPECT_EQ(json["args_cut"], true);
  EXPECT_EQ(json["exe_cut"], true);
  EXPECT_FALSE(nlohmann::json::parse(JsonLine(event, false)).contains("args_cut"));
}

TEST(JsonLine, AnyBytesGiveOneValidLine) {
  for (int first = 0; first < 256; ++first) {
    for (const std::string& second : {""s, "\""s, "\x80"s, "\n"s, "\\"s, "\xff"s}) {
      const std::string bytes = std::string(1, static_cast<char>(first)) + second;
      LifecycleEvent event = Event(Type::kExec);
      event.comm = PrintableText(bytes);
      event.group = bytes;  // even what isn't printable, though it should be
      event.image = Image(bytes, "x" + bytes);
      const std::string line = JsonLine(event, true);
      EXPECT_EQ(line.find('\n'), line.size() - 1);
      const auto json = nlohmann::json::parse(line);
      EXPECT_EQ(json["comm"], PrintableText(bytes));
      EXPECT_EQ(json["exe"], PrintableText(bytes));
    }
  }
}

}  // namespace
}  // namespace sched_exporter
