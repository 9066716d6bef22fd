#include "tests/support/grafana_dashboard.h"

#include <regex>
#include <utility>

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;

const std::regex& VariablePattern() {
  static const std::regex pattern(R"(\$(?:(\w+)|\{(\w+)(?:[.:]\w+)*\}))");
  return pattern;
}

/// prometheusSpecialRegexEscape() of Grafana's data source: the backslashes are for the string
/// literal of PromQL, too.
std::string EscapeRegex(const std::string& value) {
  static const std::regex backslash(R"(\\)");
  static const std::regex special(R"([$^*{}\[\]'+?.()|])");
  return std::regex_replace(std::regex_replace(value, backslash, R"(\\\\)"), special, R"(\\$&)");
}

std::string Joined(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "" : "|") + EscapeRegex(value);
  }
  return values.size() == 1 ? text : "(" + text + ")";
}

std::vector<std::string> LabelsOfColumns(const Json& panel) {
  std::vector<std::string> labels;
  for (const Json& step : panel.value("transformations", Json::array())) {
    const Json& options = step.at("options");
    if (step.at("id") != "organize") {
      continue;
    }
    for (const auto& [name, title] : options.at("renameByName").items()) {
      if (name.rfind("Value", 0) != 0) {
        labels.push_back(name);
      }
    }
  }
  return labels;
}

}  // namespace

std::vector<Json> GrafanaDashboard::Panels() const {
  std::vector<Json> panels;
  for (const Json& panel : json_.value("panels", Json::array())) {
    const bool is_row = panel.value("type", "") == "row";
    const Json inner = is_row ? panel.value("panels", Json::array()) : Json::array({panel});
    panels.insert(panels.end(), inner.begin(), inner.end());
  }
  return panels;
}

std::vector<PanelQuery> GrafanaDashboard::Queries() const {
  std::vector<PanelQuery> queries;
  for (const Json& panel : Panels()) {
    // The other queries of a table may have fewer labels; Grafana merges them into rows.
    auto columns = LabelsOfColumns(panel);
    for (const Json& target : panel.value("targets", Json::array())) {
      queries.push_back(
          {panel.value("title", ""), panel["fieldConfig"]["defaults"].value("unit", ""),
           target.value("expr", ""), target.value("legendFormat", ""), std::exchange(columns, {})});
    }
  }
  return queries;
}

std::vector<QueryVariable> GrafanaDashboard::QueryVariables() const {
  std::vector<QueryVariable> variables;
  for (const Json& variable : json_["templating"]["list"]) {
    if (variable.value("type", "") == "query") {
      // Written as /PATTERN/.
      const std::string pattern = variable.value("regex", "");
      variables.push_back({variable["name"], variable["query"]["query"],
                           pattern.empty() ? ".*" : pattern.substr(1, pattern.size() - 2)});
    }
  }
  return variables;
}

std::vector<std::string> GrafanaDashboard::Variables() const {
  std::vector<std::string> names;
  for (const Json& variable : json_["templating"]["list"]) {
    names.push_back(variable["name"]);
  }
  return names;
}

std::string GrafanaDashboard::Interpolate(std::string text, const DashboardValues& values) const {
  DashboardValues all = values;
  // With a scrape interval of 15 s: four of them, as $__rate_interval is.
  all["__rate_interval"] = {"1m"};
  all["__interval"] = {"15s"};
  all["__range"] = {"1h"};
  std::map<std::string, std::string> texts;
  for (const auto& [name, chosen] : all) {
    texts[name] = name.rfind("__", 0) == 0 ? chosen.front() : Joined(chosen);
  }
  for (const Json& variable : json_["templating"]["list"]) {
    const std::string name = variable["name"];
    if (texts.count(name) == 0) {
      texts[name] = variable.value("type", "") == "custom" ? variable["options"].back()["value"]
                                                           : variable.value("allValue", Json(""));
    }
  }
  std::string result;
  std::smatch match;
  while (std::regex_search(text, match, VariablePattern())) {
    const std::string name = match[1].matched ? match[1] : match[2];
    result += match.prefix().str() + (texts.count(name) != 0 ? texts[name] : match.str());
    text = match.suffix();
  }
  return result + text;
}

std::vector<std::string> VariablesIn(const std::string& text) {
  std::vector<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), VariablePattern()), end; at != end; ++at) {
    names.push_back((*at)[1].matched ? (*at)[1] : (*at)[2]);
  }
  return names;
}

}  // namespace sched_exporter::test_support
