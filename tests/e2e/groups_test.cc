// Groups by the rules of the config, beside the exporter that has such rules, too.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/peer_exporter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

/// The config of Debian's package, and the examples in its README. Images without documentation
/// don't have the files.
constexpr char kPackagedFile[] = "/usr/share/doc/prometheus-process-exporter/examples/all.yaml";
constexpr char kPackaged[] =
    "process_names:\n"
    "  - name: \"{{.Comm}}\"\n"
    "    cmdline: \n"
    "    - '.+'";
constexpr char kFromReadme[] = R"(
process_names:
  # comm is the second field of /proc/<pid>/stat minus parens.
  - comm:
    - bash
  # exe is argv[0]. If no slashes, only basename of argv[0] need match.
  - exe:
    - postgres
    - /usr/local/bin/prometheus
  - name: "{{.ExeFull}}:{{.Matches.Cfgfile}}"
    exe:
    - /usr/local/bin/process-exporter
    cmdline:
    - -config.path\s+(?P<Cfgfile>\S+)
  - exe:
    - /sbin/upstart
    cmdline:
    - --user
    name: upstart:-user
)";

/// A program started by a shell command; killed with all that it started.
class Running {
 public:
  explicit Running(const std::string& command) {
    pid_ = Fork([&] {
      setpgid(0, 0);
      execl("/bin/bash", "bash", "-c", command.c_str(), static_cast<char*>(nullptr));
      return false;
    });
    setpgid(pid_, pid_);
  }
  ~Running() { Stop(); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void Stop() {
    if (pid_ > 0) {
      kill(-pid_, SIGKILL);
      Wait(pid_);
      pid_ = -1;
    }
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::unique_ptr<Exporter> StartWith(const std::string& config,
                                    const std::vector<std::string>& arguments = {}) {
  Exporter::Settings settings;
  settings.config = config;
  settings.arguments = arguments;
  auto started = Exporter::Start(settings);
  EXPECT_TRUE(started) << started.error().message;
  return started ? std::move(*started) : nullptr;
}

/// Living processes of each group; none that has 0, and without `other`.
std::map<std::string, int> ProcessesOf(const Exporter& exporter) {
  std::map<std::string, int> processes;
  const auto scrape = exporter.Scrape();
  EXPECT_TRUE(scrape) << scrape.error().message;
  for (const Line& line : scrape ? scrape->lines() : std::vector<Line>()) {
    if (line.name == "sched_group_processes" && line.value > 0 &&
        line.labels.at("group") != "other") {
      processes[line.labels.at("group")] = static_cast<int>(line.value);
    }
  }
  return processes;
}

/// A kernel may hide its first process from BPF: the task iterator leaves it out, threads included,
/// and sched_switch does, while /proc shows it. Then the other exporter has one process more.
void LeaveOutHiddenInit(const Exporter& exporter, std::map<std::string, int>& theirs) {
  const auto scrape = exporter.Scrape();
  ASSERT_TRUE(scrape) << scrape.error().message;
  if (scrape->Count("sched_process_threads", {{"pid", "1"}}) != 0) {
    return;
  }
  std::string comm = TextOf("/proc/1/comm");
  comm.pop_back();
  const auto group = theirs.find(comm);
  if (group != theirs.end() && --group->second == 0) {
    theirs.erase(group);
  }
}

/// What differs, of groups that did not change between the two scrapes of ours around theirs:
/// somebody starts and ends processes at any time.
std::string Differences(const std::map<std::string, int>& before,
                        const std::map<std::string, int>& theirs,
                        const std::map<std::string, int>& after) {
  std::set<std::string> groups;
  for (const auto* counts : {&before, &theirs, &after}) {
    for (const auto& [group, count] : *counts) {
      groups.insert(group);
    }
  }
  const auto count_in = [](const std::map<std::string, int>& counts, const std::string& group) {
    const auto found = counts.find(group);
    return found == counts.end() ? 0 : found->second;
  };
  std::string differences;
  for (const std::string& group : groups) {
    const int ours = count_in(before, group);
    const int others = count_in(theirs, group);
    if (ours == count_in(after, group) && ours != others) {
      differences +=
          group + ": " + std::to_string(ours) + ", theirs " + std::to_string(others) + "\n";
    }
  }
  return differences;
}

/// Both exporters say the same at the same moment.
void ExpectTheSameGroups(const std::string& config, const std::vector<std::string>& wanted) {
  const auto peer = PeerExporter::Start(config);
  ASSERT_TRUE(peer) << peer.error().message;
  const auto exporter = StartWith(config);
  ASSERT_NE(exporter, nullptr);
  std::map<std::string, int> ours;
  std::string differences;
  EXPECT_TRUE(WaitUntil([&] {
    const auto before = ProcessesOf(*exporter);
    auto theirs = (*peer)->Processes().value();
    LeaveOutHiddenInit(*exporter, theirs);
    ours = ProcessesOf(*exporter);
    differences = Differences(before, theirs, ours);
    return differences.empty() &&
           std::all_of(wanted.begin(), wanted.end(),
                       [&ours](const std::string& group) { return ours.contains(group); });
  })) << differences
      << testing::PrintToString(ours);
}

TEST(Groups, OfThePackagedDefaultAreThoseOfProcessExporter) {
  const Running sleep("exec -a 'other name' sleep 1000");
  const Running title("exec perl -e '$0 = \"a title\"; sleep 1000'");
  const std::string file = TextOf(kPackagedFile);
  EXPECT_TRUE(file.empty() || file == kPackaged) << file;
  ExpectTheSameGroups(kPackaged, {"sleep", "a title"});
}

TEST(Groups, OfTheReadmesExamplesAreThoseOfProcessExporter) {
  const Running postgres("exec -a postgres sleep 1000");
  const Running full("exec -a /usr/lib/postgresql/bin/postgres sleep 1000");
  const Running prometheus("exec -a /usr/local/bin/prometheus sleep 1000");
  const Running elsewhere("exec -a /opt/prometheus sleep 1000");
  const Running child_of_match("sleep 1000; :");
  const Running captured(
      "exec -a /usr/local/bin/process-exporter perl -e 'sleep 1000' -- -config.path /etc/a.yml");
  const Running upstart("exec -a /sbin/upstart perl -e 'sleep 1000' -- --user");
  ExpectTheSameGroups(kFromReadme, {"bash", "postgres", "prometheus",
                                    "/usr/local/bin/process-exporter:/etc/a.yml", "upstart:-user"});
}

TEST(Groups, OfTitlesAreThoseOfProcessExporter) {
  const Running writer("exec perl -e '$0 = \"postgres: writer\"; sleep 1000'");
  const Running parent(
      "exec perl -e '$0 = \"postgres: main\"; fork() or $0 = \"postgres: child\"; sleep 1000'");
  const std::string config =
      "process_names:\n"
      "  - name: 'pg-{{.Matches.role}}'\n"
      "    cmdline: ['^postgres: (?P<role>\\w+)']\n";
  ExpectTheSameGroups(config, {"pg-writer", "pg-main", "pg-child"});
}

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
      "  - name: '{{.Comm}}'\n"
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
    EXPECT_EQ(scrape->Count("sched_group_threads", {{"group", "perl"}}), 0);
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
  // later; whoever else starts processes here is few.
  ASSERT_TRUE(WaitUntil([&] { return (asked = exporter->Scrape()->Sum(kAsked)) >= 500; }));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(exporter->Scrape());
  }
  EXPECT_LT(exporter->Scrape()->Sum(kAsked), asked + 500) << "each scrape would ask 500 times";
  end.Open();
  Wait(sleepers);
}

TEST(Groups, ReloadOverHttpIsOffUnlessItIsAskedFor) {
  const auto exporter = StartWith("limits: {groups: 5}\n");
  ASSERT_NE(exporter, nullptr);
  const auto reply = HttpSend("POST", exporter->port(), "/-/reload");
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 403);
  EXPECT_THAT(reply->body, HasSubstr("--web.enable-lifecycle"));
  EXPECT_EQ(HttpGet(exporter->port(), "/-/reload")->status, 405);
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
