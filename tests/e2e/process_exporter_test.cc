// Groups by the rules of a config, beside the exporter that has such rules, too.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/groups.h"
#include "tests/support/peer_configs.h"
#include "tests/support/peer_exporter.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

std::string TextOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
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

TEST(ProcessExporter, OfThePackagedDefaultAreThoseOfProcessExporter) {
  const Running sleep("exec -a 'other name' sleep 1000");
  const Running title("exec perl -e '$0 = \"a title\"; sleep 1000'");
  const std::string file = TextOf(kPackagedFile);
  EXPECT_TRUE(file.empty() || file == kPackaged) << file;
  ExpectTheSameGroups(kPackaged, {"sleep", "a title"});
}

TEST(ProcessExporter, OfTheReadmesExamplesAreThoseOfProcessExporter) {
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

TEST(ProcessExporter, OfTitlesAreThoseOfProcessExporter) {
  const Running writer("exec perl -e '$0 = \"postgres: writer\"; sleep 1000'");
  const Running parent(
      "exec perl -e '$0 = \"postgres: main\"; fork() or $0 = \"postgres: child\"; sleep 1000'");
  const std::string config =
      "process_names:\n"
      "  - name: 'pg-{{.Matches.role}}'\n"
      "    cmdline: ['^postgres: (?P<role>\\w+)']\n";
  ExpectTheSameGroups(config, {"pg-writer", "pg-main", "pg-child"});
}

}  // namespace
}  // namespace sched_exporter::test_support
