// Groups by the rules of the config.

#include "tests/support/groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/support/http_client.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Groups, ATitleThatAForkedChildWritesNamesTheGroup) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: 'pg-{{.Matches.role}}'\n"
      "    cmdline: ['^postgres: (?P<role>\\w+)']\n");
  ASSERT_NE(exporter, nullptr);
  const Running family("exec perl -e 'fork() or $0 = \"postgres: child\"; sleep 1000'");
  EXPECT_TRUE(WaitUntil([&] {
    return ProcessesOf(*exporter) == std::map<std::string, int>{{"pg-child", 1}};
  }));
}

TEST(Groups, ATitleThatIsWrittenAfterTheStartNamesTheGroup) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: 'pg-{{.Matches.role}}'\n"
      "    cmdline: ['^postgres: (?P<role>\\w+)']\n");
  ASSERT_NE(exporter, nullptr);
  const Running child("exec perl -e '$0 = \"postgres: writer\"; sleep 1000'");
  EXPECT_TRUE(WaitUntil([&] {
    return ProcessesOf(*exporter) == std::map<std::string, int>{{"pg-writer", 1}};
  }));
}

/// Of the group with constant name "daemon".
struct Daemon {
  double processes = -1;
  double cpu = 0;
  double execs = 0;
};

Daemon DaemonOf(const Exporter& exporter) {
  Daemon daemon;
  const auto scrape = exporter.Scrape();
  EXPECT_TRUE(scrape) << scrape.error().message;
  const Labels labels{{"group", "daemon"}, {"team", "storage"}};
  if (scrape && scrape->Count("sched_group_processes", labels) == 1) {
    daemon = {scrape->Sum("sched_group_processes", labels),
              scrape->Sum("sched_group_cpu_seconds_total", labels),
              scrape->Sum("sched_group_execs_total", labels)};
  }
  return daemon;
}

TEST(Groups, AConfiguredGroupHasItsSeriesWithoutAProcess) {
  const auto exporter = StartWith(
      "limits: {dead_series: 0s}\n"
      "process_names:\n"
      "  - name: daemon\n"
      "    exe: [test-daemon]\n"
      "    labels: {team: storage}\n");
  ASSERT_NE(exporter, nullptr);
  EXPECT_EQ(DaemonOf(*exporter).processes, 0) << "not in the first scrape";
  Running running("exec -a test-daemon perl -e '1 while times < 0.05; sleep 1000'");
  EXPECT_TRUE(WaitUntil([&] {
    const Daemon daemon = DaemonOf(*exporter);
    return daemon.processes == 1 && daemon.cpu >= 0.05;
  }));
  running.Stop();
  EXPECT_TRUE(WaitUntil([&] { return DaemonOf(*exporter).processes == 0; }));
  for (int i = 0; i < 3; ++i) {
    const Daemon daemon = DaemonOf(*exporter);
    EXPECT_EQ(daemon.processes, 0);
    EXPECT_GE(daemon.cpu, 0.05) << "its counters went with its process";
    EXPECT_EQ(daemon.execs, 1);
  }
}

TEST(Groups, AChildIsInItsDeadAncestorsGroup) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: ancestors\n"
      "    exe: [test-ancestor]\n");
  ASSERT_NE(exporter, nullptr);
  // The ancestor starts a child, which starts a grandchild; both are gone before anybody looks.
  const Running family(
      "(exec -a test-ancestor bash -c '(sleep 1000 & ) & sleep 0'); exec sleep 1000");
  EXPECT_TRUE(WaitUntil([&] {
    return ProcessesOf(*exporter) == std::map<std::string, int>{{"ancestors", 1}};
  }));
}

TEST(Groups, WithoutChildrenWhatMatchesNothingIsInOther) {
  const auto exporter = StartWith(
      "children: false\n"
      "process_names:\n"
      "  - name: ancestors\n"
      "    exe: [test-ancestor]\n");
  ASSERT_NE(exporter, nullptr);
  const Running family("exec -a test-ancestor bash -c 'sleep 1000; :'");
  EXPECT_TRUE(WaitUntil([&] {
    return ProcessesOf(*exporter) == std::map<std::string, int>{{"ancestors", 1}};
  }));
}

TEST(Groups, WhatIsDroppedIsInNoSeriesOfItsOwnAndInEverySum) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - exe: [test-dropped]\n"
      "    drop: true\n"
      "  - name: '{{.ExeBase}}'\n"
      "    cmdline: ['.+']\n");
  ASSERT_NE(exporter, nullptr);
  const auto before = exporter->Scrape();
  ASSERT_TRUE(before);
  const Running dropped("exec -a test-dropped perl -e '1 while times < 0.2; sleep 1000'");
  const std::string pid = std::to_string(dropped.pid());
  EXPECT_TRUE(WaitUntil([&] {
    const auto scrape = exporter->Scrape();
    EXPECT_TRUE(scrape);
    const auto grown = [&](const std::string& family, const Labels& labels) {
      return scrape->Sum(family, labels) - before->Sum(family, labels);
    };
    EXPECT_EQ(scrape->Count("sched_process_threads", {{"pid", pid}, {"comm", "perl"}}), 0);
    EXPECT_EQ(scrape->Count("sched_group_threads", {{"group", "test-dropped"}}), 0);
    return grown("sched_group_cpu_seconds_total", {{"group", "other"}}) >= 0.2 &&
           grown("sched_process_cpu_seconds_total", {{"pid", "other"}}) >= 0.2;
  }));
}

TEST(Groups, OfShortLivedProcessesByTheirCommandLine) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: 'kind {{.Matches.kind}}'\n"
      "    cmdline: ['^/bin/\\w+ --kind=(?P<kind>\\w+)']\n");
  ASSERT_NE(exporter, nullptr);
  const Ended ended = RunProgram(
      {"bash", "-c", "for i in {1..200}; do /bin/true --kind=a; /bin/false --kind=b; done; true"});
  ASSERT_EQ(ended.exit_code, 0) << ended.output;
  const auto scrape = exporter->Scrape();
  ASSERT_TRUE(scrape) << scrape.error().message;
  for (const std::string group : {"kind a", "kind b"}) {
    EXPECT_EQ(scrape->Sum("sched_group_execs_total", {{"group", group}}), 200);
    EXPECT_EQ(scrape->Sum("sched_group_exits_total", {{"group", group}}), 200);
    EXPECT_GT(scrape->Sum("sched_group_cpu_seconds_total", {{"group", group}}), 0);
  }
  EXPECT_EQ(scrape->Sum("sched_group_exits_total", {{"group", "kind b"}, {"code", "1"}}), 200);
}

TEST(Groups, OfUsersUnitsAndCgroups) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: '{{.Username}} in {{.Cgroups}}'\n"
      "    user: ['^root$']\n"
      "    cgroup: ['^/']\n"
      "    exe: [test-user]\n");
  ASSERT_NE(exporter, nullptr);
  const Running running("exec -a test-user sleep 1000");
  EXPECT_TRUE(WaitUntil([&] {
    const auto processes = ProcessesOf(*exporter);
    return processes.size() == 1 && processes.begin()->first.starts_with("root in [/");
  }));
}

TEST(Groups, RulesAreAskedWhenProcessesAppearAndNotAtScrapes) {
  const auto exporter = StartWith("process_names:\n  - cmdline: ['.+']\n");
  ASSERT_NE(exporter, nullptr);
  Gate end;
  const pid_t sleepers = StartSleepers(500, end);
  constexpr char kAsked[] = "sched_exporter_rule_evaluations_total";
  double asked = 0;
  // Forked children are what their parent is until a title can have been written, about a second
  // later. Others start processes here, too, but not so many.
  ASSERT_TRUE(WaitUntil([&] { return (asked = exporter->Scrape()->Sum(kAsked)) >= 500; }));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(exporter->Scrape());
  }
  EXPECT_LT(exporter->Scrape()->Sum(kAsked), asked + 5'000) << "each scrape would ask 500 times";
  end.Open();
  Wait(sleepers);
}

TEST(Groups, ADaemonThatGivesUpRootIsInItsUsersGroup) {
  const auto exporter = StartWith(
      "process_names:\n"
      "  - name: 'daemon of {{.Username}}'\n"
      "    comm: [test-daemon]\n");
  ASSERT_NE(exporter, nullptr);
  const pid_t daemon = Fork([] {
    SetComm("test-daemon");
    const bool gave_up = setuid(65'534) == 0;
    pause();
    return gave_up;
  });
  const std::map<std::string, int> wanted{{"daemon of nobody", 1}};
  EXPECT_TRUE(WaitUntil([&] { return ProcessesOf(*exporter) == wanted; }));
  kill(daemon, SIGKILL);
  Wait(daemon);
}

TEST(Groups, TheFirstRulesHoldForChildrenOfWhatRuns) {
  const auto exporter = StartWith("limits: {groups: 500}\n", {"--web.enable-lifecycle"});
  ASSERT_NE(exporter, nullptr);
  const Running family(
      "exec -a test-parent bash -c 'for i in {1..20}; do sleep 1000 & done; wait'");
  ASSERT_TRUE(WaitUntil([&] { return ProcessesOf(*exporter)["sleep"] >= 20; }));
  std::ofstream(exporter->config_path()) << "process_names: [{name: all, exe: [test-parent]}]\n";
  const auto reply = HttpSend("POST", exporter->port(), "/-/reload");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_THAT(ProcessesOf(*exporter), ::testing::Contains(Pair("all", 21)));
}

TEST(Groups, LongCommandLinesHoldNobodyUp) {
  std::string config = "process_names:\n";
  for (int i = 0; i < 50; ++i) {
    config += "  - cmdline: ['never" + std::to_string(i) + ".*found$']\n";
  }
  const auto exporter = StartWith(config);
  ASSERT_NE(exporter, nullptr);
  const Running storm(
      "a=$(printf '\\xff%.0s' {1..30000}); while true; do /bin/true \"$a\" \"$a\"; done");
  ASSERT_TRUE(WaitUntil([&] {
    const auto scrape = exporter->Scrape();
    return scrape && scrape->Sum("sched_group_execs_total") > 100;
  }));
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(exporter->Scrape()) << "a scrape fails after nine seconds";
  }
}

TEST(Groups, ReloadOverHttpIsOffUnlessItIsAskedFor) {
  const auto exporter = StartWith("limits: {groups: 5}\n");
  ASSERT_NE(exporter, nullptr);
  const auto reply = HttpSend("POST", exporter->port(), "/-/reload");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 403);
  EXPECT_THAT(reply->body, HasSubstr("--web.enable-lifecycle"));
  const auto get = HttpGet(exporter->port(), "/-/reload");
  EXPECT_EQ(get->status, 405);
  EXPECT_EQ(get->headers.at("allow"), "POST, PUT");
}

TEST(Groups, RulesFromAReloadHoldForLivingProcesses) {
  const auto exporter = StartWith("process_names:\n  - name: before\n    exe: [test-living]\n",
                                  {"--web.enable-lifecycle"});
  ASSERT_NE(exporter, nullptr);
  const Running running("exec -a test-living sleep 1000");
  EXPECT_TRUE(WaitUntil([&] {
    return ProcessesOf(*exporter) == std::map<std::string, int>{{"before", 1}};
  }));
  std::ofstream(exporter->config_path())
      << "process_names:\n  - name: after\n    exe: [test-living]\n";
  const auto reply = HttpSend("POST", exporter->port(), "/-/reload");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200) << reply->body;
  EXPECT_EQ(reply->body, "config reloaded\n");
  EXPECT_THAT(ProcessesOf(*exporter), ::testing::ElementsAre(Pair("after", 1)));

  std::ofstream(exporter->config_path()) << "process_names:\n  - name: '{{.Nonsense}}'\n";
  const auto refused = HttpSend("POST", exporter->port(), "/-/reload");
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 500);
  EXPECT_THAT(refused->body, HasSubstr(exporter->config_path() + ":2:"));
  EXPECT_EQ(exporter->Scrape()->Sum("sched_exporter_config_last_reload_successful"), 0);
  EXPECT_THAT(ProcessesOf(*exporter), ::testing::ElementsAre(Pair("after", 1)));
}

}  // namespace
}  // namespace sched_exporter::test_support
