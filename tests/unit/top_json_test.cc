#include "exporter/live/top_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "exporter/live/json_text.h"
#include "exporter/live/live_ring.h"
#include "exporter/live/top_query.h"

namespace sched_exporter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;

constexpr std::uint64_t kSecond = 1'000'000'000;

std::string ErrorOf(std::string_view query) {
  const auto parsed = ParseTopQuery(query);
  return parsed ? "" : parsed.error().message;
}

TEST(TopQuery, HasDefaults) {
  for (const char* query : {"", "&", "&&"}) {
    const auto parsed = ParseTopQuery(query);
    ASSERT_TRUE(parsed) << query;
    EXPECT_EQ(parsed->view, LiveViewKind::kGroup);
    EXPECT_EQ(parsed->sort, TopSort::kCpu);
    EXPECT_EQ(parsed->count, 20U);
    EXPECT_TRUE(parsed->group.empty());
    EXPECT_TRUE(parsed->history);
  }
}

TEST(TopQuery, ReadsAllParameters) {
  const auto parsed =
      ParseTopQuery("view=process&sort=%77ait&count=100&group=a+b%26%C3%A4&history=0");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->view, LiveViewKind::kProcess);
  EXPECT_EQ(parsed->sort, TopSort::kWait);
  EXPECT_EQ(parsed->count, 100U);
  EXPECT_EQ(parsed->group, "a b&ä");
  EXPECT_FALSE(parsed->history);
}

TEST(TopQuery, WhatIsWrongIsToldWithWhatWouldBeRight) {
  EXPECT_EQ(ErrorOf("view=pod"), "expected view to be one of group, cgroup, process; got \"pod\"");
  EXPECT_EQ(
      ErrorOf("sort="),
      "expected sort to be one of cpu, wait, starts, switches, threads, latency, name; got \"\"");
  EXPECT_EQ(ErrorOf("history=yes"), "expected history to be one of 0, 1; got \"yes\"");
  EXPECT_EQ(ErrorOf("limit=5"), "expected view, sort, count, group or history; got \"limit\"");
  EXPECT_EQ(ErrorOf("view"), "expected name=value, got \"view\"");
  EXPECT_EQ(ErrorOf("view=group&view=group"), "\"view\" is there twice");
  EXPECT_EQ(ErrorOf("group=a"), "group chooses processes: it needs view=process");
  for (const char* query : {"sort=latency", "view=process&sort=latency"}) {
    EXPECT_EQ(ErrorOf(query), "sort=latency is of cgroups: it needs view=cgroup");
  }
  EXPECT_THAT(ErrorOf("view=process&sort=starts"), HasSubstr("cpu, wait, switches, threads, name"));
  for (const char* count : {"0", "101", "-1", "+5", "5x", "", "99999999999999999999", "%20"}) {
    EXPECT_THAT(ErrorOf(std::string("count=") + count), HasSubstr("expected count from 1 to 100"))
        << count;
  }
  for (const char* query : {"view=%", "view=%4", "view=%zz", "%=1", "view=%-1"}) {
    EXPECT_THAT(ErrorOf(query), HasSubstr("hexadecimal")) << query;
  }
}

TEST(TopQuery, EchoesAreShortAndPrintable) {
  EXPECT_EQ(ErrorOf("%0A%1b%ff=1"),
            "expected view, sort, count, group or history; got \"\\x0a\\x1b\\xff\"");
  EXPECT_LT(ErrorOf("view=" + std::string(5000, 'x')).size(), 120U);
}

TEST(EventsQuery, ReadsACount) {
  EXPECT_EQ(ParseEventsQuery(""), std::size_t{100});
  EXPECT_EQ(ParseEventsQuery("count=500"), std::size_t{500});
  EXPECT_FALSE(ParseEventsQuery("count=501"));
  EXPECT_EQ(ParseEventsQuery("view=group").error().message, "expected count, got \"view\"");
}

NamedRow Group(const std::string& name, std::uint64_t cpu_ns, std::uint64_t starts) {
  NamedRow row;
  row.name = name;
  row.labels = {{"team", name + "\""}};
  row.totals.user_ns = cpu_ns;
  row.totals.timeslices = cpu_ns / 1000;
  row.lifecycle.execs = starts;
  row.population = {3, 2, 1};
  return row;
}

/// Three groups and two processes, two steps.
std::shared_ptr<const LiveView> MakeView(bool has_waits = true) {
  LiveRing ring(5 * kSecond);
  std::shared_ptr<const LiveView> view;
  for (std::uint64_t step = 0; step < 3; ++step) {
    Report report;
    report.groups = {Group("b", step * kSecond, 0), Group("a", step * kSecond, 10 * step),
                     Group("\xff\x01\"\\", 0, 0)};
    if (step == 2) {
      report.groups.push_back(Group("late", 5 * kSecond, 1));
    }
    ProcessRow process;
    process.comm = "x";
    process.pid = 7;
    process.group = "a";
    process.cgroup = "/c";
    process.exe = "/bin/x";
    process.user = "root";
    process.population = {1, 1, 4 * kSecond};
    report.processes = {process, process};
    report.processes[1].pid = 8;
    report.processes[1].group = "b";
    report.processes[1].totals.user_ns = step * 10 * kSecond;
    view = ring.Take(report, {(10 + 5 * step) * kSecond, 1'000 * kSecond, 4, "h\n", has_waits});
  }
  return view;
}

Json Answer(const LiveView& view, std::string_view query) {
  return Json::parse(TopJson(view, *ParseTopQuery(query)));
}

std::vector<std::string> Names(const Json& answer) {
  std::vector<std::string> names;
  for (const Json& row : answer["rows"]) {
    names.push_back(row["name"]);
  }
  return names;
}

TEST(TopJson, HasTheFieldsOfTheDocument) {
  const Json answer = Answer(*MakeView(), "");
  EXPECT_EQ(answer["time"], 1020);
  EXPECT_EQ(answer["step_seconds"], 5);
  EXPECT_EQ(answer["window_seconds"], 5);
  EXPECT_EQ(answer["cpus"], 4);
  EXPECT_EQ(answer["view"], "group");
  EXPECT_EQ(answer["total"], 4);
  EXPECT_EQ(answer["host"]["name"], "h\\x0a");
  EXPECT_EQ(answer["host"]["history"]["time"], Json({1015, 1020}));
  EXPECT_FLOAT_EQ(answer["host"]["history"]["starts"][1].get<float>(), 2.2F);
  EXPECT_EQ(answer["latency"]["bounds_seconds"].size(), kLatencyBounds);
  EXPECT_EQ(answer["latency"]["columns"].size(), 2U);
  EXPECT_EQ(answer["latency"]["columns"][0].size(), kLatencyBounds + 1);
  EXPECT_TRUE(answer["other"].is_null());
  const Json& row = answer["rows"][0];
  EXPECT_EQ(row["name"], "late");
  EXPECT_EQ(row["labels"], Json({{"team", "late\""}}));
  EXPECT_EQ(row["cpu"], 1);
  EXPECT_EQ(row["threads"], 3);
  EXPECT_EQ(row["processes"], 2);
  EXPECT_EQ(row["cpu_seconds"], 5);
  EXPECT_EQ(row["history"]["cpu"], Json({nullptr, 1})) << "it wasn't there before";
}

TEST(TopJson, UnknownWaitsAreNullAndNotZero) {
  const Json answer = Answer(*MakeView(false), "");
  for (const Json& of : {answer["host"], answer["rows"][0]}) {
    EXPECT_TRUE(of["wait"].is_null());
    EXPECT_EQ(of["history"]["wait"], Json({nullptr, nullptr}));
    EXPECT_TRUE(of["cpu"].is_number());
    EXPECT_TRUE(of["history"]["cpu"][1].is_number());
  }
  EXPECT_TRUE(answer["latency"].is_null());
}

TEST(TopJson, SortsAndCuts) {
  const auto view = MakeView();
  EXPECT_THAT(Names(Answer(*view, "sort=cpu&count=3")), ElementsAre("late", "a", "b"));
  EXPECT_THAT(Names(Answer(*view, "sort=name&count=3")), ElementsAre("a", "b", "late"));
  EXPECT_THAT(Names(Answer(*view, "sort=starts&count=1")), ElementsAre("a"));
  EXPECT_EQ(Answer(*view, "count=1")["total"], 4);
}

TEST(TopJson, OfProcesses) {
  const auto view = MakeView();
  const Json answer = Answer(*view, "view=process");
  ASSERT_EQ(answer["rows"].size(), 2U);
  const Json& row = answer["rows"][0];
  EXPECT_EQ(row["pid"], 8);
  EXPECT_EQ(row["cpu"], 2);
  EXPECT_EQ(row["group"], "b");
  EXPECT_EQ(row["cgroup"], "/c");
  EXPECT_EQ(row["exe"], "/bin/x");
  EXPECT_EQ(row["user"], "root");
  EXPECT_EQ(row["start_time"], 1004);
  EXPECT_FALSE(row.contains("starts"));
  EXPECT_FALSE(row["history"].contains("starts"));
  const Json filtered = Answer(*view, "view=process&group=a");
  ASSERT_EQ(filtered["rows"].size(), 1U);
  EXPECT_EQ(filtered["rows"][0]["pid"], 7);
  EXPECT_EQ(filtered["total"], 1);
}

TEST(TopJson, WithoutHistoryThereIsNone) {
  const Json answer = Answer(*MakeView(), "history=0");
  EXPECT_FALSE(answer.contains("latency"));
  EXPECT_FALSE(answer["host"].contains("history"));
  EXPECT_FALSE(answer["rows"][0].contains("history"));
}

TEST(TopJson, BeforeTheFirstStepAllIsUnknown) {
  LiveRing ring(5 * kSecond);
  for (const auto& view : {ring.Empty({1, 2, 2, "h"}), ring.Take({}, {1, 2, 2, "h"})}) {
    const Json answer = Answer(*view, "view=cgroup");
    EXPECT_TRUE(answer["time"].is_null());
    EXPECT_TRUE(answer["window_seconds"].is_null());
    EXPECT_TRUE(answer["host"]["cpu"].is_null());
    EXPECT_EQ(answer["rows"], Json::array());
    EXPECT_EQ(answer["host"]["history"]["time"], Json::array());
    EXPECT_EQ(answer["latency"]["columns"], Json::array());
  }
}

TEST(JsonText, NumbersThatAreNoneAreNull) {
  JsonText json;
  json.BeginArray()
      .Number(std::numeric_limits<float>::infinity())
      .Number(std::numeric_limits<double>::quiet_NaN())
      .Number(0.1F)
      .Number(1e-30F)
      .Integer(18'446'744'073'709'551'615U)
      .EndArray();
  EXPECT_EQ(json.Take(), "[null,null,0.1,1e-30,18446744073709551615]");
}

TEST(JsonText, AnyBytesAreValid) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes.push_back(static_cast<char>(byte));
  }
  const Json parsed = Json::parse(ErrorJson(bytes));
  EXPECT_THAT(parsed["error"].get<std::string>(), HasSubstr("\xef\xbf\xbd"));
}

}  // namespace
}  // namespace sched_exporter
