#include "tests/support/event_stream.h"

#include <fstream>
#include <set>
#include <sstream>

namespace sched_exporter::test_support {
namespace {

using nlohmann::json;

constexpr std::size_t kMostDifferences = 10;

/// Empty for events that are no part of a history.
std::string StepOf(const json& event) {
  const std::string type = event.at("event");
  const std::string comm = event.value("comm", "");
  if (type == "exec") {
    return "exec " + comm;
  }
  if (type == "exec_failed") {
    return "exec_failed " + comm + " " + std::string(event.at("errno"));
  }
  if (type == "exit") {
    const auto code = event.find("exit_code");
    return "exit " + comm + " " +
           (code != event.end() ? std::to_string(code->get<int>())
                                : std::string(event.at("signal")));
  }
  return "";
}

std::string TextOf(const Histories& histories, pid_t pid) {
  const auto found = histories.find(pid);
  std::string text;
  if (found != histories.end()) {
    for (const std::string& step : found->second) {
      text.append(text.empty() ? "" : ", ").append(step);
    }
  }
  return "[" + text + "]";
}

}  // namespace

Result<std::vector<json>> ParseEvents(std::string_view text) {
  std::vector<json> events;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) {
      return Fail("the last line has no end: " + std::string(text));
    }
    json event = json::parse(text.substr(0, end), nullptr, false);
    if (!event.is_object() || !event.contains("time") || !event.contains("event")) {
      return Fail("not an event: " + std::string(text.substr(0, end)));
    }
    events.push_back(std::move(event));
    text.remove_prefix(end + 1);
  }
  return events;
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

Histories HistoriesOf(const std::vector<json>& events, const std::string& cgroup) {
  Histories histories;
  for (const json& event : events) {
    if (event.value("cgroup", "") == cgroup) {
      const std::string step = StepOf(event);
      if (!step.empty()) {
        histories[event.at("pid")].push_back(step);
      }
    }
  }
  return histories;
}

Histories HistoriesOf(const StarterReport& report, const std::string& starter_comm) {
  Histories histories;
  for (const StartedChild& child : report.children) {
    std::vector<std::string>& history = histories[child.pid];
    if (!child.exec_error.empty()) {
      history.push_back("exec_failed " + starter_comm + " " + child.exec_error);
    }
    if (child.executed) {
      history.push_back("exec " + child.comm);
    }
    history.push_back("exit " + child.comm + " " + child.code);
  }
  histories[report.starter].push_back("exit " + starter_comm + " 0");
  return histories;
}

std::vector<std::string> HistoryDifferences(const Histories& wanted, const Histories& got) {
  std::set<pid_t> pids;
  for (const Histories* histories : {&wanted, &got}) {
    for (const auto& [pid, history] : *histories) {
      pids.insert(pid);
    }
  }
  std::vector<std::string> differences;
  for (const pid_t pid : pids) {
    const std::string want = TextOf(wanted, pid);
    const std::string have = TextOf(got, pid);
    if (want != have && differences.size() < kMostDifferences) {
      std::string& text = differences.emplace_back(std::to_string(pid));
      text.append(": ").append(have).append(" instead of ").append(want);
    }
  }
  return differences;
}

}  // namespace sched_exporter::test_support
