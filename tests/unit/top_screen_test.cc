#include "exporter/app/top_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "exporter/app/terminal_text.h"

namespace sched_exporter {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr char kAnswer[] = R"({"time": 1795284322.9, "step_seconds": 5, "cpus": 2, "view": "group",
  "host": {"name": "node7", "cpu": 1.5, "wait": 0.25, "starts": 12.98, "tasks": 157},
  "rows": [
    {"name": "postgres", "labels": {"team": "x"}, "cpu": 0.3104, "wait": 0.02, "starts": 1.2,
     "switches": 12.5, "threads": 12, "processes": 3, "cpu_seconds": 9.75,
     "history": {"cpu": [null, 0, 0.15, 0.3]}},
    {"name": "漢字漢字漢字漢字", "cpu": 0, "wait": 0, "starts": 0, "switches": 0, "threads": 1,
     "processes": 1, "cpu_seconds": 0}]})";

TEST(TopScreen, ShowsHostAndRows) {
  const auto screen = MakeTopScreen(kAnswer, {});
  ASSERT_TRUE(screen) << screen.error().message;
  EXPECT_TRUE(screen->has_step);
  EXPECT_EQ(screen->next_s, 5);
  ASSERT_THAT(screen->lines, SizeIs(4));
  EXPECT_THAT(screen->lines[0], HasSubstr("1.50 of 2 CPUs used, 0.25 tasks wait, 13.0 starts/s"));
  EXPECT_THAT(screen->lines[1], EndsWith("  GROUP"));
  EXPECT_EQ(screen->lines[2],
            "  0.310    0.020       1.2        12       12       3         9.8  postgres team=x");
}

TEST(TopScreen, SparklinesWhereTheyFit) {
  const auto wide = MakeTopScreen(kAnswer, {120, true});
  ASSERT_TRUE(wide);
  EXPECT_THAT(wide->lines[2], HasSubstr(" ▁▅█  postgres"));
  for (const TopRoom room : {TopRoom{120, false}, TopRoom{99, true}}) {
    EXPECT_THAT(MakeTopScreen(kAnswer, room)->lines[2], Not(HasSubstr("▁")));
  }
}

constexpr char kCgroups[] = R"({"time": 1, "step_seconds": 5, "cpus": 2, "view": "cgroup",
  "host": {"name": "node7", "cpu": 1.5, "wait": 0.25, "starts": 12.98, "tasks": 157},
  "rows": [
    {"name": "/a", "cpu": 1, "wait": 2, "starts": 3, "switches": 4, "threads": 5, "processes": 6,
     "cpu_seconds": 7, "runqueue_latency": {"p50": 1e-06, "p99": 0.016384},
     "timeslice": {"p50": 0.002048, "p99": 1.048576}},
    {"name": "/long", "cpu": 1, "wait": 2, "starts": 3, "switches": 4, "threads": 5, "processes": 6,
     "cpu_seconds": 7, "runqueue_latency": {"p50": 0.000512, "p99": null},
     "timeslice": {"p50": 8.388608, "p99": 16.777216}},
    {"name": "/idle", "cpu": 0, "wait": 0, "starts": 0, "switches": 0, "threads": 5, "processes": 6,
     "cpu_seconds": 7, "runqueue_latency": null, "timeslice": null}]})";

TEST(TopScreen, CgroupsHaveQuantiles) {
  const auto screen = MakeTopScreen(kCgroups, {});
  ASSERT_TRUE(screen) << screen.error().message;
  ASSERT_THAT(screen->lines, SizeIs(5));
  EXPECT_THAT(screen->lines[1], HasSubstr("  WAIT 50%  WAIT 99%  SLICE 50%  SLICE 99%  "));
  EXPECT_THAT(screen->lines[2], HasSubstr("     1.0us      16ms      2.0ms       1.0s  "));
  EXPECT_THAT(screen->lines[3], HasSubstr("     512us      >17s       8.4s        17s  "));
  EXPECT_THAT(screen->lines[4], HasSubstr("         -         -          -          -  "));
}

TEST(TopScreen, WithLittleRoomCgroupsHaveTheLongestWaitsAlone) {
  const auto screen = MakeTopScreen(kCgroups, {80, true});
  ASSERT_TRUE(screen) << screen.error().message;
  EXPECT_THAT(screen->lines[1], HasSubstr("   WAIT  WAIT 99%  STARTS/S  THREADS "));
  EXPECT_THAT(screen->lines[1], EndsWith("  CGROUP"));
  EXPECT_THAT(screen->lines[2], HasSubstr("  2.000      16ms       3.0 "));
}

TEST(TopScreen, NoLineIsWiderThanTheTerminal) {
  for (std::size_t columns = 1; columns < 100; ++columns) {
    const auto screen = MakeTopScreen(kAnswer, {columns, false});
    ASSERT_TRUE(screen);
    EXPECT_LE(screen->lines[2].size(), columns);
    EXPECT_EQ(CutToColumns(screen->lines[3], columns), screen->lines[3]);
  }
  EXPECT_EQ(CutToColumns("漢字", 3), "漢");
  EXPECT_EQ(CutToColumns("▁▂▃", 2), "▁▂");
  EXPECT_EQ(CutToColumns("äöü", 2), "äö");
}

TEST(TopScreen, NothingInItControlsTheTerminal) {
  const std::string answer =
      R"({"view": "process", "host": {"name": "\u001b]0;x\u0007"}, "rows": [
      {"name": "a\u001b[2J\n\u009b1m\u007f\r\t", "user": "\b\b", "group": "\\x0a",
       "labels": {"\u001b": "\u001b"}}]})";
  const auto screen = MakeTopScreen(answer, {200, true});
  ASSERT_TRUE(screen) << screen.error().message;
  for (const std::string& line : screen->lines) {
    for (const char byte : line) {
      EXPECT_GE(static_cast<unsigned char>(byte), 0x20);
      EXPECT_NE(byte, 0x7f);
    }
    EXPECT_THAT(line, Not(HasSubstr("\xc2\x9b")));
  }
  EXPECT_THAT(screen->lines[2], HasSubstr(R"(a\x1b[2J\x0a\xc2\x9b1m\x7f\x0d\x09 (\x0a))"));
}

TEST(TopScreen, PrintableTextsStayAsTheyAre) {
  EXPECT_EQ(TerminalText(R"(a\\b\x0a)"), R"(a\\b\x0a)");
  EXPECT_EQ(TerminalText("ä\n\\"), "ä\\x0a\\");
  // As the page shows them; other letters stay.
  EXPECT_EQ(TerminalText("a\u202eb\u200b\u00ad\u2028\U000e0041"),
            "a\\u{202e}b\\u{200b}\\u{ad}\\u{2028}\\u{e0041}");
  EXPECT_EQ(TerminalText("漢字ä€😀\xff"), "漢字ä€😀\\xff");
  EXPECT_EQ(TerminalLines("a\x1b\nb\n"), "a\\x1b\nb\n");
}

TEST(TopScreen, OtherAnswersAreRefused) {
  for (const char* answer : {"", "{", "[]", "7", "null", "{}", R"({"rows": []})",
                             R"({"rows": {}, "view": "group"})", R"({"rows": [], "view": 7})"}) {
    EXPECT_FALSE(MakeTopScreen(answer, {})) << answer;
  }
}

TEST(TopScreen, WrongTypesAreGaps) {
  const auto screen = MakeTopScreen(
      R"({"view": "group", "time": "x", "step_seconds": -7, "host": [], "cpus": null, "rows": [7, null,
      {"name": 5, "cpu": "x", "wait": 1e308, "labels": [], "history": {"cpu": {}}},
      {"history": {"cpu": [1e308, -1e308, "x", null]}}]})",
      {300, true});
  ASSERT_TRUE(screen);
  EXPECT_FALSE(screen->has_step);
  EXPECT_EQ(screen->next_s, 0.1);
  EXPECT_THAT(screen->lines, SizeIs(6));
  const auto cgroups = MakeTopScreen(
      R"({"view": "cgroup", "rows": [{"runqueue_latency": 7, "timeslice": {"p50": -1e308, "p99": 1e308}},
      {"runqueue_latency": [], "timeslice": {"p50": "x", "p99": {}}}]})",
      {300, true});
  ASSERT_TRUE(cgroups);
  EXPECT_THAT(cgroups->lines, SizeIs(4));
}

}  // namespace
}  // namespace sched_exporter
