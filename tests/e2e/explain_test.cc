// `sched_exporter explain PID`: what it says of a process is what a running exporter serves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/argv.h"
#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPodUid[] = "0b5ae1c4-7d3f-4a1e-9c1d-2f6a7b8c9d0e";
const std::string kContainerId(64, 'c');

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A process with a chosen comm, in a process group of its own.
class Program {
 public:
  /// `source` is a program of this host, run under the name `comm`.
  Program(const TempDirectory& directory, const std::string& source, const std::string& comm,
          const std::vector<std::string>& arguments) {
    const std::string file = directory.path() + "/" + comm;
    std::filesystem::copy_file(source, file, std::filesystem::copy_options::skip_existing);
    std::vector<std::string> words = {file};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const std::vector<char*> argv = Argv(words);
    pid_ = fork();
    if (pid_ == 0) {
      setpgid(0, 0);
      execv(argv[0], argv.data());
      _exit(127);
    }
    const std::string mine = "/proc/" + std::to_string(pid_) + "/comm";
    EXPECT_TRUE(WaitUntil([&] { return ReadAll(mine) == comm.substr(0, 15) + "\n"; })) << comm;
  }
  ~Program() {
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  pid_t pid() const { return pid_; }

  /// The only child, once it is called `comm`.
  pid_t ChildNamed(const std::string& comm) const {
    const std::string children =
        "/proc/" + std::to_string(pid_) + "/task/" + std::to_string(pid_) + "/children";
    pid_t child = 0;
    EXPECT_TRUE(WaitUntil([&] {
      std::istringstream(ReadAll(children)) >> child;
      return child != 0 && ReadAll("/proc/" + std::to_string(child) + "/comm") == comm + "\n";
    }));
    return child;
  }

 private:
  pid_t pid_ = -1;
};

/// The label sets in what explain prints.
std::vector<std::string> SetsIn(const std::string& output) {
  std::vector<std::string> sets;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  sched_")) {
      sets.push_back(line.substr(2));
    }
  }
  return sets;
}

std::string LinesWith(const std::string& text, const std::string& part) {
  std::string found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    found += line.find(part) == std::string::npos ? "" : line + "\n";
  }
  return found;
}

/// `set` as the line of a scrape begins.
std::string AsServed(const std::string& set) {
  const std::size_t star = set.find("_*{");
  return "\n" +
         (star == std::string::npos ? set
                                    : set.substr(0, star) + "_threads" + set.substr(star + 2)) +
         " ";
}

Ended Explain(const std::string& config, const std::string& pid,
              std::vector<std::string> prefix = {}) {
  prefix.push_back(ExporterBinary());
  if (!config.empty()) {
    prefix.push_back("--config.file=" + config);
  }
  prefix.insert(prefix.end(), {"explain", pid});
  return RunProgram(prefix);
}

class Explained : public testing::TestWithParam<CgroupHost> {
 protected:
  void SetUp() override {
    const std::string pods = logs_.path() + "/pods";
    const std::string containers = logs_.path() + "/containers";
    std::filesystem::create_directories(pods + "/shop_web-1_" + kPodUid);
    std::filesystem::create_directories(containers);
    std::filesystem::create_symlink("/x",
                                    containers + "/web-1_shop_nginx-" + kContainerId + ".log");
    Exporter::Settings settings;
    settings.config = Config();
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  std::string Config() const {
    return "cgroup: {hierarchy: " + GetParam().hierarchy + "}\n" + R"(process_names:
  - name: web
    comm: [exweb]
    labels: {team: shop, note: "a \"b\" \\ c"}
  - comm: [exdrop]
    drop: true
  - name: "job:{{.Matches.what}}"
    cmdline: ['--job=(?P<what>\w+)']
  - name: family
    comm: [exparent]
  - name: hidden
    comm: [exhidden]
  - name: "{{.Container}} of {{.Namespace}}"
    pod: ['^web-1$']
  - name: "{{.Comm}}"
    cmdline: ['7777$']
  - name: last
    comm: [nobody-has-this]
filters:
  groups: {exclude: ['^hid+en$']}
  processes: {exclude: ['^exfil']}
  cgroups: {exclude: ['_filtered_']}
labels:
  omit: [process_info.user, process_info.ppid, cgroup.pod]
kubernetes:
  log_directory: )" +
           logs_.path() + "\n";
  }

  /// What explain says; each of its label sets has to be in a scrape, and each of the process's
  /// series in what it says.
  std::string Check(pid_t pid) const {
    const Ended ended = Explain(exporter_->config_path(), std::to_string(pid));
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    const auto scrape = exporter_->ScrapeText();
    EXPECT_TRUE(scrape) << scrape.error().message;
    const std::vector<std::string> sets = SetsIn(ended.output);
    EXPECT_GE(sets.size(), 3U) << ended.output;
    std::size_t own = 0;
    for (const std::string& set : sets) {
      EXPECT_NE(scrape->find(AsServed(set)), std::string::npos)
          << AsServed(set) << "\nis not served\n"
          << ended.output << LinesWith(*scrape, "pid=\"" + std::to_string(pid) + "\"");
      own += set.find("{pid=\"" + std::to_string(pid) + "\"") != std::string::npos ? 1 : 0;
    }
    const auto parsed = MetricsText::Parse(*scrape);
    const Labels pid_label = {{"pid", std::to_string(pid)}};
    EXPECT_EQ(own, parsed->Count("sched_process_threads", pid_label) +
                       parsed->Count("sched_process_info", pid_label));
    return ended.output;
  }

  std::string CheckProgram(const std::string& comm) const {
    return Check(Program(directory_, "/bin/sleep", comm, {"1000"}).pid());
  }

  TempDirectory directory_;
  TempDirectory logs_;
  std::unique_ptr<Exporter> exporter_;
};

TEST_P(Explained, ARuleThatMatchesAndThoseThatAreNotAsked) {
  const std::string said = CheckProgram("exweb");
  EXPECT_THAT(said, HasSubstr("group           \"web\", by rule 1\n"));
  EXPECT_THAT(said, HasSubstr("  rule 1 (line 3): matches comm \"exweb\": group \"web\"\n"));
  EXPECT_THAT(said, HasSubstr("  rules 2 to 8 are not asked: the first one that matches counts\n"));
  EXPECT_THAT(said, HasSubstr("sched_group_*{group=\"web\",note=\"a "));
  EXPECT_THAT(said, HasSubstr(",team=\"shop\"}\n"));
  EXPECT_THAT(said, Not(HasSubstr("ppid=")));
  EXPECT_THAT(said, Not(HasSubstr("user=")));
}

TEST_P(Explained, DroppedProcesses) {
  const std::string said = CheckProgram("exdrop");
  EXPECT_THAT(said, HasSubstr("process has     series in \"other\": its group is dropped\n"));
  EXPECT_THAT(SetsIn(said),
              ElementsAre("sched_process_*{pid=\"other\",comm=\"other\",group=\"other\"}",
                          "sched_group_*{group=\"other\"}", StartsWith("sched_cgroup_*{cgroup=")));
}

TEST_P(Explained, FilteredProcessesAndGroups) {
  const std::string process = CheckProgram("exfiltered");
  EXPECT_THAT(process, HasSubstr("in \"other\": filters.processes.exclude has \"^exfil\"\n"));
  EXPECT_THAT(process, HasSubstr("no rule matches it or an ancestor"));
  const std::string group = CheckProgram("exhidden");
  EXPECT_THAT(group, HasSubstr("in \"other\": filters.groups.exclude has \"^hid+en$\"\n"));
  EXPECT_THAT(group, HasSubstr("group=\"hidden\"}")) << "the process has the label all the same";
}

TEST_P(Explained, Captures) {
  const Program job(directory_, "/bin/sh", "exjob",
                    {"-c", "sleep 1000 & wait", "x", "--job=nightly"});
  const std::string said = Check(job.pid());
  EXPECT_THAT(said, HasSubstr("group           \"job:nightly\", by rule 3\n"));
  EXPECT_THAT(said, HasSubstr("  rule 1 (line 3): no match: comm is \"exjob\"\n"));
}

TEST_P(Explained, ChildrenOfAGroup) {
  const Program parent(directory_, "/bin/sh", "exparent", {"-c", "(sleep 1000; :) & wait; :"});
  const pid_t child = parent.ChildNamed("exparent");
  pid_t grandchild = 0;
  ASSERT_TRUE(WaitUntil([&] {
    std::istringstream(ReadAll("/proc/" + std::to_string(child) + "/task/" + std::to_string(child) +
                               "/children")) >>
        grandchild;
    return grandchild != 0 && ReadAll("/proc/" + std::to_string(grandchild) + "/comm") == "sleep\n";
  }));
  const std::string said = Check(grandchild);
  EXPECT_THAT(said, HasSubstr("\"family\": no rule matches, but one does for its ancestor " +
                              std::to_string(child) + " (\"exparent\") (children: true): rule 4"));
  EXPECT_THAT(said, HasSubstr("Note: /proc knows no ancestors that have ended"));
}

TEST_P(Explained, PodsAndFilteredCgroups) {
  const TestCgroup filtered(GetParam(), "filtered");
  const std::string pod = filtered.directory() + "/kubepods/pod" + kPodUid;
  const std::string container = pod + "/" + kContainerId;
  std::filesystem::create_directories(container);
  {
    const Program program(directory_, "/bin/sleep", "expod", {"1000"});
    std::ofstream(container + "/cgroup.procs") << program.pid() << std::flush;
    const std::string said = Check(program.pid());
    EXPECT_THAT(said, AllOf(HasSubstr("  pod UID       " + std::string(kPodUid) + "\n"),
                            HasSubstr("  container id  " + kContainerId + "\n"),
                            HasSubstr("  QoS class     guaranteed\n")));
    EXPECT_THAT(said, HasSubstr("  container     nginx\n"));
    EXPECT_THAT(said, HasSubstr("names         from log_directory " + logs_.path()));
    EXPECT_THAT(said, HasSubstr("group           \"nginx of shop\", by rule 6\n"));
    EXPECT_THAT(said, HasSubstr("namespace=\"shop\",pod=\"web-1\""));
    EXPECT_THAT(said, HasSubstr("in \"other\": filters.cgroups.exclude has \"_filtered_\"\n"));
    EXPECT_THAT(said, HasSubstr("  sched_cgroup_*{cgroup=\"other\"}\n"));
  }
  for (const std::string& path : {container, pod, filtered.directory() + "/kubepods"}) {
    EXPECT_TRUE(WaitUntil([&] { return rmdir(path.c_str()) == 0; })) << path;
  }
}

TEST_P(Explained, LabelsOfACgroupWithoutNamesOfPods) {
  const TestCgroup top(GetParam(), "docker");
  const std::string container = top.directory() + "/docker-" + std::string(64, 'd') + ".scope";
  std::filesystem::create_directories(container);
  {
    const Program program(directory_, "/bin/sleep", "exdocker", {"7777"});
    std::ofstream(container + "/cgroup.procs") << program.pid() << std::flush;
    const std::string said = Check(program.pid());
    EXPECT_THAT(said, HasSubstr(".scope\",container=\"dddddddddddd\"}\n"));
    EXPECT_THAT(said, HasSubstr("  runtime       docker\n"));
    EXPECT_THAT(said, HasSubstr("names         none in log_directory "));
  }
  EXPECT_TRUE(WaitUntil([&] { return rmdir(container.c_str()) == 0; }));
}

TEST_P(Explained, HostileNames) {
  for (const std::string comm : {"ex\"\\\n)(", ") Z 1 (", "\xff\x1b[31m", "a b", "other"}) {
    const Program program(directory_, "/bin/sleep", comm, {"7777"});
    const std::string said = Check(program.pid());
    EXPECT_THAT(said, Not(HasSubstr("\x1b")));
    EXPECT_THAT(said, HasSubstr(", by rule 7\n"));
  }
}

TEST_P(Explained, WithoutRulesGroupsGoByComm) {
  const Ended ended = Explain("", "2");
  EXPECT_THAT(ended.output, HasSubstr("the config has no rules"));
  EXPECT_THAT(ended.output, HasSubstr("a kernel thread"));
  const Program program(directory_, "/bin/sleep", "explain", {"1"});
  EXPECT_THAT(SetsIn(Explain("", std::to_string(program.pid())).output),
              testing::Contains("sched_group_*{group=\"explain\"}"));
}

INSTANTIATE_TEST_SUITE_P(Hierarchies, Explained, testing::ValuesIn(TestableHierarchies()),
                         [](const auto& param) { return param.param.hierarchy; });

TEST(Explain, WhatIsNoProcessIsOneLineAndExitCodeOne) {
  std::string thread;
  std::thread([&thread] { thread = Explain("", std::to_string(gettid())).output; }).join();
  EXPECT_THAT(thread, AllOf(StartsWith("sched_exporter: "),
                            HasSubstr("is a thread of process " + std::to_string(getpid()))));
  for (const std::string pid : {"0", "abc", "", "1.5", "4294967296", "4194305", "1 ", "\n"}) {
    const Ended ended = Explain("", pid);
    EXPECT_EQ(ended.exit_code, 1) << pid;
    EXPECT_THAT(ended.output, StartsWith("sched_exporter: "));
    EXPECT_EQ(ended.output.find('\n'), ended.output.size() - 1) << ended.output;
  }
  EXPECT_EQ(RunProgram({ExporterBinary(), "explain"}).exit_code, 2);
  EXPECT_EQ(RunProgram({ExporterBinary(), "explain", "1", "2"}).exit_code, 2);
}

TEST(Explain, AZombieHasEnded) {
  const pid_t zombie = fork();
  if (zombie == 0) {
    _exit(0);
  }
  siginfo_t info{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT), 0);
  const Ended ended = Explain("", std::to_string(zombie));
  waitpid(zombie, nullptr, 0);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("a zombie"));
}

TEST(Explain, WithoutRightsItSaysWhatItCannotRead) {
  const Ended ended =
      Explain("", std::to_string(getpid()),
              {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"});
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("Note: the label exe: cannot read /proc/"));
  EXPECT_THAT(ended.output, Not(HasSubstr("exe=")));
  EXPECT_THAT(SetsIn(ended.output), Not(IsEmpty()));
}

}  // namespace
}  // namespace sched_exporter::test_support
