#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace sched_exporter::test_support {

/// Values of a dashboard's variables; several ones where many are chosen.
using DashboardValues = std::map<std::string, std::vector<std::string>>;

/// One query of a panel.
struct PanelQuery {
  std::string panel;  ///< Its title.
  std::string unit;
  std::string expression;
  std::string legend;
  std::vector<std::string> columns;  ///< Of a table's first query: labels that have columns.
};

/// A variable whose values come from Prometheus.
struct QueryVariable {
  std::string name;
  std::string query;    ///< label_values(SELECTOR, LABEL)
  std::string pattern;  ///< Regular expression of the values that are offered.
};

/// A dashboard's JSON file, read as Grafana 10 reads it.
class GrafanaDashboard {
 public:
  /// Of text that is no JSON, json() is discarded.
  explicit GrafanaDashboard(const std::string& text)
      : json_(nlohmann::json::parse(text, nullptr, false)) {}

  const nlohmann::json& json() const { return json_; }

  /// All panels without rows, those in collapsed rows too.
  std::vector<nlohmann::json> Panels() const;

  std::vector<PanelQuery> Queries() const;

  /// Variables that are looked up, in the order in which they depend on each other.
  std::vector<QueryVariable> QueryVariables() const;

  /// Names of all variables.
  std::vector<std::string> Variables() const;

  /// Puts values into a query as Grafana's Prometheus data source does: a regular expression of all
  /// that are chosen, with special characters escaped. Of variables without a choice: allValue, or
  /// the last of a fixed list.
  std::string Interpolate(std::string text, const DashboardValues& values) const;

 private:
  nlohmann::json json_;
};

/// Names of variables that a text uses, as $name, ${name} or ${name:format}; Grafana's own among
/// them.
std::vector<std::string> VariablesIn(const std::string& text);

}  // namespace sched_exporter::test_support
