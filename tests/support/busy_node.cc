#include "tests/support/busy_node.h"

#include <unistd.h>

#include <csignal>
#include <fstream>

#include "tests/support/argv.h"
#include "tests/support/memory_controller.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

constexpr char kBpfStats[] = "/proc/sys/kernel/bpf_stats_enabled";

/// Success, failure, a crash, a signal that asks, a program that is missing and one that is none.
constexpr char kRound[] =
    "/bin/true; /bin/false; (kill -SEGV $BASHPID); (kill -TERM $BASHPID); /nonexistent; "
    "/dev/null; ";

/// Has it to wait, on hosts with idle CPUs, too: all that run this want the same CPU in the same
/// fifth of each second.
constexpr char kWantOneCpu[] =
    "taskset -cp $(sed -nE 's/^Cpus_allowed_list:[[:space:]]*([0-9]+).*/\\1/p' /proc/self/status) "
    "$$ >/dev/null; "
    "while :; do case ${EPOCHREALTIME#*[.,]} in [01]*) ;; *) /bin/sleep 0.05 ;; esac; done";

std::string InCgroup(const CgroupDirectory& cgroup, const std::string& commands) {
  return "exec 2>/dev/null; ulimit -c 0; echo $$ >" + cgroup.directory() + "/cgroup.procs; " +
         commands;
}

std::string Config(const CgroupHost& host, const NodeLogs& logs) {
  return "cgroup: {hierarchy: " + host.hierarchy +
         "}\n"
         "limits: {dead_series: 1s}\n"
         "kubernetes: {log_directory: " +
         logs.path() +
         "}\n"
         "process_names:\n"
         "  - {name: " +
         std::string(BusyNode::kAbsentGroup) +
         ", comm: [nobody-has-this]}\n"
         "  - {name: '{{.Comm}}', cmdline: ['.+']}\n";
}

}  // namespace

BpfStats::BpfStats() {
  std::ifstream(kBpfStats) >> before_;
  std::ofstream(kBpfStats) << "1" << std::flush;
}

BpfStats::~BpfStats() { std::ofstream(kBpfStats) << before_ << std::flush; }

Result<std::unique_ptr<BusyNode>> BusyNode::Start() {
  std::unique_ptr<BusyNode> node(new BusyNode());
  const auto hosts = TestableHierarchies();
  if (hosts.empty()) {
    return Fail("needs a cgroup hierarchy: v2, or cpuacct of v1");
  }
  node->host_ = hosts.front();
  Exporter::Settings settings;
  settings.config = Config(node->host_, node->logs_);
  auto exporter = Exporter::Start(settings);
  if (!exporter) {
    return tl::unexpected(exporter.error());
  }
  node->exporter_ = std::move(*exporter);
  for (const Pod& pod : {Pod{kNamespace, std::string(kWorkload) + "-7d9f5c6b8-x2k4z",
                             MakePod("", "", "").uid, "burstable"},
                         Pod{kNamespace, "db-0", MakePod("", "", "").uid, "guaranteed"}}) {
    const std::string id = MakeContainerId();
    node->logs_.AddPod(pod);
    node->RunIn(ContainerPath(CgroupDriver::kCgroupfs, pod, id));
    node->logs_.AddContainer(pod, "app", id);
  }
  node->RunIn("/system.slice/" + std::string(kUnit));
  if (auto removed = node->RemoveOneCgroup(); !removed) {
    return tl::unexpected(removed.error());
  }
  return node;
}

BusyNode::~BusyNode() {
  for (const auto& running : load_) {
    running->Stop();
  }
  // Their children went with their process groups, but aren't reaped by us.
  for (const auto& cgroup : cgroups_) {
    WaitUntil([&] {
      std::string pid;
      return !(std::ifstream(cgroup->directory() + "/cgroup.procs") >> pid);
    });
  }
}

void BusyNode::RunIn(const std::string& path) {
  cgroups_.push_back(std::make_unique<CgroupDirectory>(host_, path));
  load_.push_back(std::make_unique<Running>(
      InCgroup(*cgroups_.back(), "while :; do " + std::string(kRound) + "/bin/sleep 0.05; done")));
  load_.push_back(std::make_unique<Running>(InCgroup(*cgroups_.back(), kWantOneCpu)));
}

Result<void> BusyNode::RemoveOneCgroup() {
  CgroupDirectory cgroup(host_, "/sched-busy-node-" + std::to_string(getpid()) + "/removed");
  Running round(InCgroup(cgroup, kRound));
  Wait(round.pid());
  // It counts as removed when a scrape has read its last figures.
  const Labels labels = {{"cgroup", cgroup.label()}};
  const bool is_counted = WaitUntil([&] {
    const auto scrape = exporter_->Scrape();
    return scrape && scrape->Sum("sched_cgroup_exits_total", labels) > 0;
  });
  if (!is_counted || !cgroup.Remove()) {
    return Fail("cannot remove " + cgroup.directory());
  }
  return {};
}

Result<void> BusyNode::RunOutOfMemory() const {
  const auto controllers = MemoryControllers();
  if (controllers.empty()) {
    return Fail("needs the memory controller, of v1 or v2");
  }
  const MemoryController& memory = controllers.front();
  const CgroupDirectory limited(memory.host, "/sched-busy-node-memory");
  LimitMemory(memory, limited.directory(), 8 << 20);
  const pid_t pid = Fork([&] {
    std::string program = ChildProgram();
    std::vector<std::string> words = {program, "-1", "eat", "64"};
    // Where both are of one hierarchy, it ends in the limited one.
    const bool is_in_place = cgroups_.front()->Add(0) && limited.Add(0);
    return is_in_place && execv(program.c_str(), Argv(words).data()) == 0;
  });
  const int code = Wait(pid);
  if (code != 128 + SIGKILL) {
    return Fail("nobody ran out of memory; exit code " + std::to_string(code));
  }
  return {};
}

}  // namespace sched_exporter::test_support
