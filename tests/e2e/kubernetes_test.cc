// Names of pods and containers, with cgroups and log directories as a Kubernetes node has them, and
// figures that agree with the kernel's for each container.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/kubernetes_node.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr double kTolerance = 0.001;
constexpr char kCpu[] = "sched_cgroup_cpu_seconds_total";
constexpr char kInfo[] = "sched_process_info";

/// A container of a pod, with its cgroup and its first process.
struct Running {
  Running(const CgroupHost& host, CgroupDriver driver, const Pod& pod, std::string name_in_pod,
          std::string container_id = MakeContainerId(), const std::string& above = "")
      : name(std::move(name_in_pod)),
        id(std::move(container_id)),
        expected(pod.pod_namespace + "/" + pod.name + "/" + name),
        cgroup(host, above + ContainerPath(driver, pod, id)),
        process(cgroup) {}

  const std::string name;  ///< Empty: the pod's sandbox.
  const std::string id;
  const std::string expected;  ///< NAMESPACE/POD/CONTAINER
  const CgroupDirectory cgroup;
  ContainerProcess process;
};

class Kubernetes : public testing::TestWithParam<std::tuple<CgroupHost, CgroupDriver>> {
 protected:
  void Start(const std::string& config) {
    const std::string hierarchy = std::get<CgroupHost>(GetParam()).hierarchy;
    auto started = Exporter::Start({"cgroup: {hierarchy: " + hierarchy + "}\n" + config, {}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }
  void StartWithLogs(const std::string& config = "") {
    Start("kubernetes: {log_directory: " + logs_.path() + "}\n" + config);
  }

  std::unique_ptr<Running> Run(const Pod& pod, const std::string& name,
                               const std::string& id = MakeContainerId(),
                               const std::string& above = "") const {
    const auto& [host, driver] = GetParam();
    return std::make_unique<Running>(host, driver, pod, name, id, above);
  }

  /// A pod and a container with log directory and link.
  std::unique_ptr<Running> RunNamed(const Pod& pod, const std::string& name) const {
    logs_.AddPod(pod);
    auto running = Run(pod, name);
    logs_.AddContainer(pod, name, running->id);
    return running;
  }

  const MetricsText& Scrape() {
    auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    if (scrape) {
      EXPECT_THAT(BackwardCounters(last_, *scrape), IsEmpty());
      last_ = std::move(*scrape);
    }
    return last_;
  }

  /// NAMESPACE/POD/CONTAINER of all series of a family with `labels` in the last scrape.
  std::set<std::string> Names(const std::string& family, const Labels& labels) const {
    std::set<std::string> names;
    const auto value = [](const Line& line, const std::string& label) {
      const auto found = line.labels.find(label);
      return found == line.labels.end() ? std::string() : found->second;
    };
    for (const Line& line : last_.lines()) {
      const bool matches = std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
        return value(line, wanted.first) == wanted.second;
      });
      if (line.name == family && matches) {
        names.insert(value(line, "namespace") + "/" + value(line, "pod") + "/" +
                     value(line, "container"));
      }
    }
    return names;
  }
  std::set<std::string> NamesOf(const Running& running) const {
    return Names(kCpu, {{"cgroup", running.cgroup.label()}});
  }
  static Labels InfoOf(const Running& running) {
    return {{"pid", std::to_string(running.process.pid())}};
  }

  void WaitForNames(const Running& running, const std::string& names) {
    EXPECT_TRUE(WaitUntil([&] {
      Scrape();
      return NamesOf(running) == std::set<std::string>{names};
    })) << testing::PrintToString(NamesOf(running))
        << " instead of " << names;
    EXPECT_THAT(Names(kInfo, InfoOf(running)), ElementsAre(names));
  }

  /// Ends the container, and waits until its figures are those of the kernel.
  void ExpectFigures(Running& running) {
    EXPECT_TRUE(running.process.End());
    const Labels labels = {{"cgroup", running.cgroup.label()}};
    const double truth = static_cast<double>(running.cgroup.UsageNs()) / 1e9;
    ASSERT_GT(truth, 0.08);
    EXPECT_TRUE(WaitUntil([&] {
      return std::abs(Scrape().Sum(kCpu, labels) - truth) <= truth * kTolerance;
    })) << last_.Sum(kCpu, labels)
        << " instead of " << truth;
    EXPECT_THAT(NamesOf(running), ElementsAre(running.expected));
  }

  std::string GroupOf(const ContainerProcess& process) const {
    for (const Line& line : last_.lines()) {
      if (line.name == kInfo && line.labels.at("pid") == std::to_string(process.pid())) {
        return line.labels.at("group");
      }
    }
    return "";
  }
  std::string GroupOf(const Running& running) const { return GroupOf(running.process); }

  const NodeLogs logs_;
  std::unique_ptr<Exporter> exporter_;
  MetricsText last_;
};

TEST_P(Kubernetes, ContainersHaveTheirNamesAndTheKernelsFigures) {
  const Pod static_pod = MakePod("kube-system", "etcd", "guaranteed", true);
  const Pod web = MakePod("shop", "web", "burstable");
  const Pod batch = MakePod("shop", "batch.v1", "besteffort");
  const auto older = RunNamed(batch, "older");
  StartWithLogs();
  std::vector<std::unique_ptr<Running>> all;
  all.push_back(RunNamed(static_pod, "etcd"));
  all.push_back(RunNamed(web, "nginx"));
  all.push_back(RunNamed(web, "side-car"));
  all.push_back(Run(web, ""));
  all.push_back(RunNamed(batch, "job"));
  older->process.Work();
  for (const auto& running : all) {
    running->process.Work();
  }
  WaitForNames(*older, older->expected);
  for (const auto& running : all) {
    WaitForNames(*running, running->expected);
    ExpectFigures(*running);
  }
}

TEST_P(Kubernetes, NamesComeAfterTheStart) {
  StartWithLogs();
  const Pod pod = MakePod("shop", "web", "burstable");
  logs_.AddPod(pod);
  const auto running = Run(pod, "nginx");
  running->process.Work();
  WaitForNames(*running, pod.pod_namespace + "/" + pod.name + "/");
  logs_.AddContainer(pod, "nginx", running->id);
  WaitForNames(*running, running->expected);
  running->process.Work();
  ExpectFigures(*running);
}

TEST_P(Kubernetes, DeletedPodsKeepTheirNamesWithTheirSeries) {
  StartWithLogs();
  const Pod pod = MakePod("shop", "web", "burstable");
  const auto running = RunNamed(pod, "nginx");
  running->process.Work();
  WaitForNames(*running, running->expected);
  ExpectFigures(*running);
  ASSERT_TRUE(running->cgroup.Remove());
  logs_.RemovePod(pod);
  // Who gets this one's name has read the directories again.
  const auto later = RunNamed(MakePod("shop", "later", "burstable"), "later");
  later->process.Work();
  WaitForNames(*later, later->expected);
  EXPECT_THAT(NamesOf(*running), ElementsAre(running->expected));
}

TEST_P(Kubernetes, RulesMoveProcessesWhenTheirNamesBecomeKnown) {
  StartWithLogs(
      "process_names:\n"
      "  - {name: '{{.Namespace}}/{{.Pod}}/{{.Container}}', container: ['^nginx$']}\n"
      "  - {name: '{{.Namespace}}/{{.Pod}}', pod: ['^web-']}\n"
      "  - {name: 'all of {{.Namespace}}', namespace: ['^shop$']}\n");
  const Pod web = MakePod("shop", "web", "burstable");
  const Pod batch = MakePod("shop", "batch", "besteffort");
  const auto nginx = Run(web, "nginx");
  const auto sandbox = Run(web, "");
  const auto job = Run(batch, "job");
  ContainerProcess second(nginx->cgroup);
  second.Work();
  for (const auto* running : {&nginx, &sandbox, &job}) {
    (*running)->process.Work();
    Scrape();
    EXPECT_EQ(GroupOf(**running), "other");
  }
  EXPECT_EQ(GroupOf(second), "other");
  logs_.AddPod(web);
  logs_.AddContainer(web, "nginx", nginx->id);
  logs_.AddPod(batch);
  const std::vector<std::pair<Running*, std::string>> expected = {
      {nginx.get(), "shop/" + web.name + "/nginx"},
      {sandbox.get(), "shop/" + web.name},
      {job.get(), "all of shop"}};
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return GroupOf(second) == expected[0].second;
  })) << GroupOf(second)
      << ": it is in the same container";
  EXPECT_TRUE(second.End());
  for (const auto& [running, group] : expected) {
    EXPECT_TRUE(WaitUntil([&, running = running, &group = group] {
      Scrape();
      return GroupOf(*running) == group;
    })) << GroupOf(*running)
        << " instead of " << group;
    const double before = static_cast<double>(running->cgroup.UsageNs()) / 1e9;
    running->process.Work();
    EXPECT_TRUE(running->process.End());
    const double after = static_cast<double>(running->cgroup.UsageNs()) / 1e9;
    const auto of_group = [&, &group = group] {
      return Scrape().Sum("sched_group_cpu_seconds_total", {{"group", group}});
    };
    EXPECT_TRUE(WaitUntil([&] { return of_group() >= (after - before) * (1 - kTolerance); }));
    EXPECT_LE(of_group(), after - before / 2) << "what was used before is in another group";
  }
}

TEST_P(Kubernetes, AKubeletsListOfPodsNamesThemToo) {
  const TempDirectory directory;
  const Pod pod = MakePod("shop", "web", "burstable");
  const Pod hashed = MakePod("kube-system", "etcd", "guaranteed", true);
  const auto write = [&](const nlohmann::json& statuses) {
    const nlohmann::json list = {
        {"kind", "PodList"},
        {"apiVersion", "v1"},
        {"metadata", nlohmann::json::object()},
        {"items",
         {{{"metadata", {{"name", pod.name}, {"namespace", pod.pod_namespace}, {"uid", pod.uid}}},
           {"status", {{"phase", "Running"}, {"containerStatuses", statuses}}}},
          {{"metadata",
            {{"name", hashed.name},
             {"namespace", hashed.pod_namespace},
             {"uid", MakePod("", "", "").uid},
             {"annotations", {{"kubernetes.io/config.hash", hashed.uid}}}}}}}}};
    std::filesystem::rename(directory.Write("new", list.dump()), directory.path() + "/pods.json");
  };
  write(nlohmann::json::array());
  Start("kubernetes: {pod_list_file: " + directory.path() + "/pods.json}\n");
  const auto nginx = Run(pod, "nginx");
  const auto etcd = Run(hashed, "");
  nginx->process.Work();
  etcd->process.Work();
  WaitForNames(*nginx, pod.pod_namespace + "/" + pod.name + "/");
  WaitForNames(*etcd, etcd->expected);
  write({{{"name", "nginx"}, {"containerID", "containerd://" + nginx->id}}});
  WaitForNames(*nginx, nginx->expected);
  ExpectFigures(*nginx);
  ExpectFigures(*etcd);
}

TEST_P(Kubernetes, WhatAUserCallsAPodIsNone) {
  StartWithLogs("process_names: [{name: '{{.Namespace}}', namespace: ['^shop$']}]\n");
  const Pod pod = MakePod("shop", "web", "burstable");
  const auto running = RunNamed(pod, "nginx");
  const auto pretender =
      Run(pod, "nginx", running->id, "/user.slice/user-1000.slice/user@1000.service");
  pretender->process.Work();
  running->process.Work();
  WaitForNames(*running, running->expected);
  EXPECT_TRUE(WaitUntil([&] {
    Scrape();
    return GroupOf(*running) == "shop";
  })) << GroupOf(*running);
  EXPECT_THAT(NamesOf(*pretender), ElementsAre("//"));
  EXPECT_THAT(Names(kInfo, InfoOf(*pretender)), ElementsAre("//"));
  EXPECT_EQ(GroupOf(*pretender), "other");
  EXPECT_GT(last_.Sum(kCpu, {{"cgroup", pretender->cgroup.label()}, {"unit", "user@1000.service"}}),
            0);
}

std::string NameOfNode(const testing::TestParamInfo<std::tuple<CgroupHost, CgroupDriver>>& tested) {
  const auto& [host, driver] = tested.param;
  return host.hierarchy + (driver == CgroupDriver::kSystemd ? "_systemd" : "_cgroupfs");
}

INSTANTIATE_TEST_SUITE_P(Nodes, Kubernetes,
                         testing::Combine(testing::ValuesIn(TestableHierarchies()),
                                          testing::Values(CgroupDriver::kCgroupfs,
                                                          CgroupDriver::kSystemd)),
                         NameOfNode);

}  // namespace
}  // namespace sched_exporter::test_support
