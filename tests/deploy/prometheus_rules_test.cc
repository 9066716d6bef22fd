// The rules and configs of deploy/prometheus: by promtool, and before a real Prometheus that
// scrapes a busy host through the example's relabelling for Kubernetes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/promql_text.h"
#include "tests/support/scraped_node.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string kRules = SOURCE_DIR "/deploy/prometheus";
const std::string kRuleTests = SOURCE_DIR "/tests/deploy/prometheus";

std::string Read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  text.replace(at, from.size(), to);
}

/// The example for Kubernetes with a target, whose labels are as the API server's pods give them,
/// in the place of the discovery: Debian's Prometheus is built without it.
std::string KubernetesConfig(const std::string& target) {
  std::string text = Read(kRules + "/prometheus_kubernetes.yml");
  const auto begin = text.find("    kubernetes_sd_configs:");
  const auto end = text.find("    relabel_configs:");
  EXPECT_TRUE(begin != std::string::npos && end != std::string::npos);
  return text.replace(begin, end - begin,
                      "    static_configs:\n"
                      "      - targets: ['" +
                          target +
                          "']\n"
                          "        labels:\n"
                          "          __meta_kubernetes_namespace: monitoring\n"
                          "          __meta_kubernetes_pod_name: sched-exporter-x7b9q\n"
                          "          __meta_kubernetes_pod_phase: Running\n"
                          "          __meta_kubernetes_pod_node_name: node-1\n"
                          "          __meta_kubernetes_pod_container_port_number: '10140'\n");
}

void ExpectGood(const std::vector<std::string>& command) {
  const Ended ended = RunProgram(command);
  EXPECT_EQ(ended.exit_code, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("SUCCESS"));
  EXPECT_THAT(ended.output, Not(HasSubstr("FAILED")));
}

TEST(PrometheusFiles, PromtoolTakesRulesAndConfigs) {
  ExpectGood({"promtool", "check", "rules", "--lint=all", "--lint-fatal",
              kRules + "/recording_rules.yml", kRules + "/alerting_rules.yml"});
  ExpectGood({"promtool", "check", "config", kRules + "/prometheus.yml"});
  const TempDirectory directory;
  for (const char* file : {"recording_rules.yml", "alerting_rules.yml", "prometheus_tls.yml"}) {
    directory.Write(file, Read(kRules + "/" + file));
  }
  std::filesystem::create_directory(directory.path() + "/tls");
  for (const char* file : {"ca.crt", "prometheus.crt", "prometheus.key", "password"}) {
    directory.Write(std::string("tls/") + file, "");
  }
  ExpectGood({"promtool", "check", "config", directory.path() + "/prometheus_tls.yml"});
  ExpectGood({"promtool", "check", "config",
              directory.Write("kubernetes.yml", KubernetesConfig("127.0.0.1:10140"))});
}

TEST(PrometheusFiles, PromtoolTestsOfRulesPass) {
  ExpectGood({"promtool", "test", "rules", kRuleTests + "/recording_rules_test.yml",
              kRuleTests + "/alerting_rules_test.yml"});
}

/// Names behind "- `key`: " in a file.
std::set<std::string> Names(const std::string& file, const std::string& key) {
  std::set<std::string> names;
  const std::string text = Read(file);
  const std::regex line("- " + key + ": (\\S+)\n");
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
    names.insert((*at)[1]);
  }
  EXPECT_THAT(names, Not(IsEmpty())) << file;
  return names;
}

TEST(PrometheusFiles, EveryRecordingRuleHasATest) {
  const auto tested = Names(kRuleTests + "/recording_rules_test.yml", "expr");
  EXPECT_EQ(tested, Names(kRules + "/recording_rules.yml", "record"));
}

TEST(PrometheusFiles, EveryAlertHasATestWhereItFiresAndWhereItDoesNot) {
  const std::string tests = Read(kRuleTests + "/alerting_rules_test.yml");
  for (const std::string& alert : Names(kRules + "/alerting_rules.yml", "alert")) {
    const std::string head = "alertname: " + alert + "\n        exp_alerts:";
    EXPECT_THAT(tests, HasSubstr(head + " []\n"));
    EXPECT_THAT(tests, HasSubstr(head + "\n          - exp_labels:"));
  }
}

TEST(PrometheusFiles, EveryAlertHasItsPlaceInTheRunbook) {
  const std::string rules = Read(kRules + "/alerting_rules.yml");
  const std::string runbook = Read(SOURCE_DIR "/docs/operations.md");
  for (const std::string& alert : Names(kRules + "/alerting_rules.yml", "alert")) {
    std::string anchor = alert;
    std::transform(anchor.begin(), anchor.end(), anchor.begin(),
                   [](unsigned char byte) { return std::tolower(byte); });
    EXPECT_NE(rules.find("runbook: docs/operations.md#" + anchor + "\n"), std::string::npos)
        << anchor;
    EXPECT_NE(runbook.find("\n#### " + alert + "\n"), std::string::npos) << alert;
  }
}

TEST(PromqlText, SidesAreVectorsWithoutThresholds) {
  EXPECT_THAT(SidesOf("sum by (a) (rate(x[5m])) / on (a) (y > 0) > 0.5 and on (a) z == 1"),
              testing::ElementsAre("sum by ( a ) ( rate ( x [ 5m ] ) ) / on ( a ) ( y > 0 )", "z"));
  EXPECT_THAT(SidesOf("(x > 0 unless x offset 15m) or absent(up{job=\"a > b\"})"),
              testing::ElementsAre("x", "x", "up { job = \"a > b\" }"));
}

/// Every rule before a Prometheus that evaluates them every second.
class PrometheusRules : public ScrapedNode {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartNode());
    std::string config = KubernetesConfig("127.0.0.1:" + std::to_string(node_->port()));
    Replace(config, "scrape_interval: 15s", "scrape_interval: 1s");
    Replace(config, "scrape_timeout: 10s", "scrape_timeout: 1s");
    Replace(config, "evaluation_interval: 1m", "evaluation_interval: 1s");
    Replace(config, "- recording_rules.yml", "- " + kRules + "/recording_rules.yml");
    Replace(config, "- alerting_rules.yml", "- " + kRules + "/alerting_rules.yml");
    ASSERT_NO_FATAL_FAILURE(StartPrometheus(config));
  }

  /// All rules as Prometheus has read them; empty before it has evaluated each of them.
  std::vector<Json> EvaluatedRules() const {
    std::vector<Json> rules;
    const Json data = Data(server_->Get("/api/v1/rules"), "rules");
    for (const Json& group : data["groups"]) {
      rules.insert(rules.end(), group["rules"].begin(), group["rules"].end());
    }
    const bool all = std::all_of(rules.begin(), rules.end(),
                                 [](const Json& rule) { return rule["health"] != "unknown"; });
    return all ? rules : std::vector<Json>();
  }
};

TEST_F(PrometheusRules, HaveDataAndNoErrors) {
  std::vector<Json> rules;
  ASSERT_TRUE(WaitUntil([&] { return !(rules = EvaluatedRules()).empty(); }));
  int records = 0;
  std::vector<std::string> without_data;
  const auto find_missing = [&] {
    without_data.clear();
    records = 0;
    for (const Json& rule : rules) {
      const bool is_record = rule["type"] == "recording";
      records += is_record ? 1 : 0;
      for (const std::string& side : is_record ? std::vector<std::string>{rule["name"]}
                                               : SidesOf(rule["query"].get<std::string>())) {
        if (Ask(side).empty()) {
          without_data.push_back(rule["name"].get<std::string>() + ": " + side);
        }
      }
    }
    return without_data.empty();
  };
  EXPECT_TRUE(WaitUntil(find_missing, kPatience)) << testing::PrintToString(without_data);
  EXPECT_EQ(records, static_cast<int>(Names(kRules + "/recording_rules.yml", "record").size()));
  for (const Json& rule : EvaluatedRules()) {
    EXPECT_EQ(rule["health"], "ok") << rule;
    EXPECT_EQ(rule.value("lastError", ""), "") << rule;
  }
}

TEST_F(PrometheusRules, KeepTheLabelsOfAFleetAndTellWhatHappens) {
  const std::string target =
      "{job=\"sched\",instance=\"node-1\",node=\"node-1\",exporter_namespace=\"monitoring\"";
  const std::string fleet_of_pods = "{job=\"sched\",instance=\"\",node=\"\",cgroup=\"\"";
  const std::string fleet = "{job=\"sched\",instance=\"\",node=\"\",pod=\"\",cgroup=\"\"";
  for (const std::string& series :
       {"up" + target + "}",
        // The exporter's own namespace is not taken for that of what it counts.
        "sched_group_processes" + target + ",namespace=\"\"}",
        "sched_cgroup_processes" + target + ",namespace=\"shop\",pod=\"db-0\",container=\"app\"}",
        "instance:sched_cpu_busy_seconds:avg_rate5m" + target + "}",
        "namespace_workload_container:sched_cgroup_cpu_seconds:rate5m" + fleet +
            ",namespace=\"shop\",workload=\"checkout\",container=\"app\"}",
        "namespace_workload_container:sched_cgroup_cpu_seconds:rate5m" + fleet +
            ",namespace=\"shop\",workload=\"db\",container=\"app\"}",
        "namespace:sched_cgroup_cpu_seconds:rate5m" + fleet + ",namespace=\"shop\"} > 0",
        "namespace:sched_cgroup_runqueue_latency_seconds:p99_rate5m" + fleet +
            ",namespace=\"shop\"} > 0",
        "namespace_pod:sched_cgroup_runqueue_latency_seconds:p50_rate5m" + fleet_of_pods +
            ",namespace=\"shop\",pod=\"db-0\"} > 0",
        "instance_cgroup:sched_cgroup_runqueue_latency_over_16ms:ratio_rate5m" + target +
            ",namespace=\"shop\",pod=\"db-0\",container=\"app\"} >= 0",
        "unit:sched_cgroup_execs:rate5m" + fleet + ",unit=\"" + BusyNode::kUnit + "\"} > 0",
        "group_class:sched_group_exits:rate5m" + fleet + ",group=\"true\",class=\"success\"} > 0",
        "group_class:sched_group_exits:rate5m" + fleet + ",group=\"false\",class=\"failure\"} > 0",
        "group_class:sched_group_exits:rate5m" + fleet + ",group=\"bash\",class=\"signal\"} > 0",
        "group_class:sched_group_exits:rate5m" + fleet + ",group=\"bash\",class=\"stopped\"} > 0",
        std::string("ALERTS{alertname=\"SchedGroupGone\",group=\"") + BusyNode::kAbsentGroup +
            "\"}",
        std::string("ALERTS{alertname=\"SchedOomKill\",alertstate=\"firing\"}"),
        std::string("ALERTS{alertname=\"SchedProcessesCrash\",group=\"bash\"}"),
        std::string("ALERTS{alertname=\"SchedExecFailures\",group=\"bash\",errno=\"EACCES\"}")}) {
    EXPECT_TRUE(WaitUntil([&] { return !Ask(series).empty(); }, kPatience)) << series;
  }
  EXPECT_THAT(Ask("{exported_namespace!=\"\"}"), IsEmpty());
}

}  // namespace
}  // namespace sched_exporter::test_support
