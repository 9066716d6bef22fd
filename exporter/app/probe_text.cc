#include "exporter/app/probe_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>

namespace sched_exporter {
namespace {

std::string FoundWord(Found found) {
  switch (found) {
    case Found::kYes:
      return "yes";
    case Found::kNo:
      return "no";
    case Found::kUnknown:
      break;
  }
  return "unknown";
}

std::string FoundText(const Answer& answer) {
  return answer.detail.empty() ? FoundWord(answer.found)
                               : FoundWord(answer.found) + " (" + answer.detail + ")";
}

nlohmann::ordered_json FoundJson(Found found) {
  return found == Found::kUnknown ? nlohmann::ordered_json(nullptr)
                                  : nlohmann::ordered_json(found == Found::kYes);
}

}  // namespace

std::string ProbeTableText(const ProbeReport& report) {
  using Row = std::array<std::string, 3>;
  std::vector<Row> rows{{"FEATURE", "FOUND", "CONSEQUENCE"}};
  for (const Finding& finding : report.findings) {
    rows.push_back({finding.feature, FoundText(finding.answer), finding.consequence});
  }
  std::array<std::size_t, 2> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text = "Linux " + report.kernel + " " + report.machine + "\n\n";
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      text += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += row.back() + "\n";
  }
  return text + "\nmode: " + report.mode + ": " + report.reason + "\n";
}

std::string ProbeJson(const ProbeReport& report) {
  using Json = nlohmann::ordered_json;
  Json features = Json::array();
  for (const Finding& finding : report.findings) {
    features.push_back({{"feature", finding.feature},
                        {"found", FoundJson(finding.answer.found)},
                        {"detail", finding.answer.detail},
                        {"consequence", finding.consequence}});
  }
  const Json all = {{"kernel", report.kernel},
                    {"machine", report.machine},
                    {"mode", report.mode},
                    {"reason", report.reason},
                    {"features", std::move(features)}};
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sched_exporter
