// The dashboards of deploy/grafana: as files, and with each of their queries asked of a real
// Prometheus that scrapes a busy host.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
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
#include <utility>
#include <vector>

#include "tests/support/grafana_dashboard.h"
#include "tests/support/promql_text.h"
#include "tests/support/scraped_node.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

std::vector<std::string> Files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/deploy/grafana")) {
    if (entry.path().extension() == ".json") {
      files.push_back(entry.path());
    }
  }
  return files;
}

/// Families and labels of docs/metrics.md, which a test holds to the exporter's own, and what
/// Prometheus adds at each scrape.
PromqlNames Known() {
  PromqlNames known;
  known.metrics = {"up", "scrape_duration_seconds", "scrape_samples_scraped"};
  known.labels = {"job", "instance", "le"};
  static const std::regex row(R"(^\| `([a-z_]+)` \| (\w+) \| ([a-z_, ]*)\|)");
  static const std::regex label(R"([a-z_]+)");
  std::istringstream lines(Read(SOURCE_DIR "/docs/metrics.md"));
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_search(line, match, row)) {
      continue;
    }
    const std::string family = match[1];
    if (match[2] == "histogram") {
      known.metrics.insert({family + "_bucket", family + "_sum", family + "_count"});
    } else {
      known.metrics.insert(family);
    }
    const std::string labels = match[3];
    for (std::sregex_iterator at(labels.begin(), labels.end(), label), end; at != end; ++at) {
      known.labels.insert(at->str());
    }
  }
  return known;
}

/// What the dashboard's queries name that the exporter doesn't have; a line each.
std::vector<std::string> UnknownNames(const GrafanaDashboard& dashboard) {
  const PromqlNames known = Known();
  std::vector<std::string> unknown;
  const auto compare = [&](const std::string& where, const std::string& expression) {
    const PromqlNames names = NamesIn(dashboard.Interpolate(expression, {}));
    EXPECT_THAT(names.metrics, ::testing::Not(IsEmpty())) << where;
    for (const std::string& metric : names.metrics) {
      if (known.metrics.count(metric) == 0) {
        unknown.push_back(where + (": metric " + metric));
      }
    }
    for (const std::string& label : names.labels) {
      if (known.labels.count(label) == 0) {
        unknown.push_back(where + (": label " + label));
      }
    }
  };
  for (const PanelQuery& query : dashboard.Queries()) {
    compare(query.panel, query.expression);
  }
  return unknown;
}

class Dashboards : public testing::TestWithParam<std::string> {
 protected:
  const std::string text_ = Read(GetParam());
  const GrafanaDashboard dashboard_{text_};
};

TEST_P(Dashboards, AreFormattedAndComplete) {
  const Json& json = dashboard_.json();
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(nlohmann::ordered_json::parse(text_).dump(2) + "\n", text_);
  EXPECT_TRUE(json["id"].is_null()) << "an id of somebody's Grafana";
  EXPECT_EQ(json["tags"], Json({"sched_exporter"}));
  EXPECT_EQ(json["links"][0]["tags"], json["tags"]);
  EXPECT_FALSE(json.value("description", "").empty());
}

TEST_P(Dashboards, PanelsSayWhatTheyShowAndInWhichUnit) {
  const std::set<std::string> types = {"stat", "timeseries", "table", "heatmap"};
  const std::set<std::string> units = {"short",       "none",        "ops",
                                       "s",           "percentunit", "bytes",
                                       "bool_on_off", "bool_yes_no", "suffix: CPUs"};
  for (const Json& panel : dashboard_.Panels()) {
    const std::string title = panel.value("title", "");
    EXPECT_FALSE(title.empty());
    EXPECT_TRUE(panel.value("description", "").ends_with('.')) << title;
    EXPECT_EQ(types.count(panel.value("type", "")), 1U) << title << ": not built into Grafana";
    EXPECT_EQ(units.count(panel["fieldConfig"]["defaults"].value("unit", "")), 1U) << title;
    EXPECT_FALSE(panel["fieldConfig"]["defaults"].value("unit", "").empty()) << title;
    EXPECT_EQ(panel["datasource"]["uid"], "${datasource}") << title;
    std::set<std::string> references;
    for (const Json& target : panel["targets"]) {
      EXPECT_EQ(target["datasource"]["uid"], "${datasource}") << title;
      EXPECT_TRUE(references.insert(target["refId"]).second) << title;
    }
    EXPECT_FALSE(references.empty()) << title;
  }
}

TEST_P(Dashboards, PanelsHaveIdsAndPlacesOfTheirOwn) {
  constexpr int kColumns = 24;
  std::set<int> ids;
  std::map<std::pair<int, int>, std::string> cells;
  for (const Json& panel : dashboard_.json()["panels"]) {
    const std::string title = panel["title"];
    EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second) << title;
    const Json& place = panel["gridPos"];
    const int x = place["x"];
    const int y = place["y"];
    EXPECT_LE(x + place["w"].get<int>(), kColumns) << title;
    for (int row = y; row < y + place["h"].get<int>(); ++row) {
      for (int column = x; column < x + place["w"].get<int>(); ++column) {
        const auto [cell, is_free] = cells.emplace(std::pair(row, column), title);
        ASSERT_TRUE(is_free) << title << " lies over " << cell->second;
      }
    }
  }
}

TEST_P(Dashboards, VariablesExistAndAreUsed) {
  const auto variables = dashboard_.Variables();
  const std::set<std::string> defined(variables.begin(), variables.end());
  EXPECT_EQ(defined.size(), variables.size());
  std::set<std::string> used;
  for (const std::string& name : VariablesIn(text_)) {
    if (name.rfind("__", 0) != 0) {
      used.insert(name);
    }
  }
  EXPECT_EQ(used, defined);
  for (const Json& variable : dashboard_.json()["templating"]["list"]) {
    EXPECT_FALSE(variable.value("description", "").empty()) << variable["name"];
  }
}

TEST_P(Dashboards, NameOnlyMetricsAndLabelsOfTheExporter) {
  EXPECT_THAT(UnknownNames(dashboard_), IsEmpty());
}

TEST_P(Dashboards, AWrongMetricOrLabelIsFound) {
  Json json = dashboard_.json();
  Json& panels = json["panels"];
  const auto panel = std::find_if(panels.begin(), panels.end(), [](const Json& candidate) {
    return candidate.contains("targets");
  });
  ASSERT_NE(panel, panels.end());
  (*panel)["targets"][0]["expr"] = "sum by (grop) (rate(sched_group_cpu_second_total[5m]))";
  const std::string where = (*panel)["title"];
  EXPECT_THAT(UnknownNames(GrafanaDashboard(json.dump())),
              testing::ElementsAre(where + ": metric sched_group_cpu_second_total",
                                   where + ": label grop"));
}

TEST_P(Dashboards, TakeWhatIsFoldedForNoProcess) {
  static const std::regex selector(R"(sched_process_\w+(\{[^}]*\})?)");
  std::vector<std::string> texts;
  for (const PanelQuery& query : dashboard_.Queries()) {
    texts.push_back(query.expression);
  }
  for (const QueryVariable& variable : dashboard_.QueryVariables()) {
    texts.push_back(variable.query);
  }
  for (const std::string& text : texts) {
    for (std::sregex_iterator at(text.begin(), text.end(), selector), end; at != end; ++at) {
      EXPECT_THAT(at->str(), HasSubstr(R"(pid!="other")"));
    }
  }
}

TEST_P(Dashboards, LinksLeadToDashboardsOfTheSet) {
  std::set<std::string> uids;
  for (const std::string& file : Files()) {
    uids.insert(GrafanaDashboard(Read(file)).json()["uid"]);
  }
  EXPECT_EQ(uids.size(), Files().size()) << "uids are unique";
  static const std::regex link(R"re("url": "/d/([^?]+)\?)re");
  for (std::sregex_iterator at(text_.begin(), text_.end(), link), end; at != end; ++at) {
    EXPECT_EQ(uids.count((*at)[1]), 1U) << (*at)[1];
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Dashboards, testing::ValuesIn(Files()), [](const auto& file) {
  return std::regex_replace(std::filesystem::path(file.param).stem().string(), std::regex("-"),
                            "_");
});

/// The dashboards before a Prometheus with the example's config.
class DashboardQueries : public ScrapedNode {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartNode());
    std::string config = Read(SOURCE_DIR "/deploy/prometheus/prometheus.yml");
    for (const auto& [from, to] : std::map<std::string, std::string>{
             {"localhost:10140", "127.0.0.1:" + std::to_string(node_->port())},
             {"scrape_interval: 15s", "scrape_interval: 1s"},
             {"scrape_timeout: 10s", "scrape_timeout: 1s"},
             {"- recording_rules.yml", "[]"},
             {"  - alerting_rules.yml", ""}}) {
      ASSERT_NE(config.find(from), std::string::npos) << from;
      config.replace(config.find(from), from.size(), to);
    }
    ASSERT_NO_FATAL_FAILURE(StartPrometheus(config));
    deadline_ = std::chrono::steady_clock::now() + kPatience;
  }

  /// Asks again until there is data: what happens on the host takes two scrapes to be a rate.
  template <typename AskOnce>
  Json AskUntilData(const AskOnce& ask) const {
    Json result = ask();
    while (result.empty() && std::chrono::steady_clock::now() < deadline_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      result = ask();
    }
    return result;
  }

  /// What a user could choose for each variable: all that it offers.
  DashboardValues Offered(const GrafanaDashboard& dashboard) const {
    static const std::regex function(R"(label_values\((.*), (\w+)\))");
    DashboardValues values;
    for (const auto& [name, text, pattern] : dashboard.QueryVariables()) {
      const std::string query = dashboard.Interpolate(text, values);
      std::smatch match;
      EXPECT_TRUE(std::regex_match(query, match, function)) << query;
      const Json offered = AskUntilData([&] {
        const auto reply = server_->LabelValues(match[1], match[2]);
        EXPECT_TRUE(reply) << reply.error().message;
        return Json::parse(reply.value_or("{}"), nullptr, false).value("data", Json::array());
      });
      EXPECT_FALSE(offered.empty()) << name << ": " << query;
      for (const std::string value : offered) {
        if (std::regex_search(value, std::regex(pattern))) {
          values[name].push_back(value);
        }
      }
    }
    return values;
  }

  static void ExpectPlausible(const PanelQuery& query, const Json& result) {
    for (const Json& series : result) {
      const double value = std::stod(series["value"][1].get<std::string>());
      EXPECT_TRUE(std::isfinite(value)) << query.panel << ": " << series;
      EXPECT_GE(value, 0) << query.panel << ": " << series;
      if (query.unit == "percentunit") {
        // On a machine with much else to do, scrapes are later than Prometheus notes.
        EXPECT_LE(value, 1.5) << query.panel << ": " << series;
      }
    }
  }

  /// Labels of a legend or a table's columns that no series has.
  static std::set<std::string> MissingLabels(const PanelQuery& query, const Json& result) {
    std::set<std::string> wanted(query.columns.begin(), query.columns.end());
    static const std::regex label(R"(\{\{(\w+)\}\})");
    for (std::sregex_iterator at(query.legend.begin(), query.legend.end(), label), end; at != end;
         ++at) {
      wanted.insert((*at)[1]);
    }
    for (const Json& series : result) {
      for (const auto& [name, value] : series["metric"].items()) {
        wanted.erase(name);
      }
    }
    return wanted;
  }

  void ExpectAnswers(const GrafanaDashboard& dashboard, const DashboardValues& values) const {
    for (const PanelQuery& query : dashboard.Queries()) {
      const std::string expression = dashboard.Interpolate(query.expression, values);
      const Json result = AskUntilData([&] { return Ask(expression); });
      EXPECT_FALSE(result.empty()) << query.panel << ": " << expression;
      ExpectPlausible(query, result);
      EXPECT_THAT(MissingLabels(query, result), IsEmpty()) << query.panel << ": " << result;
      ++asked_;
    }
  }

  std::chrono::steady_clock::time_point deadline_;
  mutable int asked_ = 0;
};

TEST_F(DashboardQueries, HaveDataWithAllAndWithChosenValues) {
  for (const std::string& file : Files()) {
    SCOPED_TRACE(file);
    const GrafanaDashboard dashboard(Read(file));
    ExpectAnswers(dashboard, {});
    ExpectAnswers(dashboard, Offered(dashboard));
  }
  RecordProperty("queries", asked_);
  EXPECT_GT(asked_, 200);
}

}  // namespace
}  // namespace sched_exporter::test_support
