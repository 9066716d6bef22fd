#include "exporter/live/top_query.h"

#include <array>
#include <optional>
#include <utility>

#include "exporter/live/query_pairs.h"

namespace sched_exporter {
namespace {

template <typename Value, std::size_t N>
using Choices = std::array<std::pair<const char*, Value>, N>;

constexpr Choices<LiveViewKind, 3> kViews{{{"group", LiveViewKind::kGroup},
                                           {"cgroup", LiveViewKind::kCgroup},
                                           {"process", LiveViewKind::kProcess}}};
constexpr Choices<TopSort, 7> kSorts{{{"cpu", TopSort::kCpu},
                                      {"wait", TopSort::kWait},
                                      {"starts", TopSort::kStarts},
                                      {"switches", TopSort::kSwitches},
                                      {"threads", TopSort::kThreads},
                                      {"latency", TopSort::kLatency},
                                      {"name", TopSort::kName}}};
constexpr Choices<bool, 2> kSwitch{{{"0", false}, {"1", true}}};
constexpr std::size_t kEventsByDefault = 100;

template <typename Value, std::size_t N>
Result<void> ReadChoice(const std::string& name, const std::string& value,
                        const Choices<Value, N>& choices, Value& chosen) {
  std::string expected;
  for (const auto& [word, meaning] : choices) {
    if (value == word) {
      chosen = meaning;
      return {};
    }
    expected.append(expected.empty() ? "" : ", ").append(word);
  }
  return Fail("expected " + name + " to be one of " + expected + "; got " + ShortQuote(value));
}

Result<void> ReadCount(const std::string& value, std::size_t max, std::size_t& count) {
  return ReadNumber("count", value, 1, max).map([&count](std::size_t number) { count = number; });
}

Result<void> TakeParameter(const std::string& name, const std::string& value, TopQuery& query) {
  if (name == "view") {
    return ReadChoice(name, value, kViews, query.view);
  }
  if (name == "sort") {
    return ReadChoice(name, value, kSorts, query.sort);
  }
  if (name == "count") {
    return ReadCount(value, kMostTopRows, query.count);
  }
  if (name == "history") {
    return ReadChoice(name, value, kSwitch, query.history);
  }
  if (name == "group") {
    query.group = value;
    return {};
  }
  return Fail("expected view, sort, count, group or history; got " + ShortQuote(name));
}

}  // namespace

Result<TopQuery> ParseTopQuery(std::string_view query) {
  TopQuery parsed;
  const auto read = ReadQuery(query, [&parsed](const std::string& name, const std::string& value) {
    return TakeParameter(name, value, parsed);
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  const bool of_processes = parsed.view == LiveViewKind::kProcess;
  if (!parsed.group.empty() && !of_processes) {
    return Fail("group chooses processes: it needs view=process");
  }
  if (parsed.sort == TopSort::kStarts && of_processes) {
    return Fail(
        "expected sort of view=process to be one of cpu, wait, switches, threads, name; "
        "starts are counted for groups and cgroups");
  }
  if (parsed.sort == TopSort::kLatency && parsed.view != LiveViewKind::kCgroup) {
    return Fail("sort=latency is of cgroups: it needs view=cgroup");
  }
  return parsed;
}

Result<std::size_t> ParseEventsQuery(std::string_view query) {
  std::size_t count = kEventsByDefault;
  const auto read = ReadQuery(query, [&count](const std::string& name, const std::string& value) {
    return name == "count" ? ReadCount(value, kMostEvents, count)
                           : Result<void>(Fail("expected count, got " + ShortQuote(name)));
  });
  return read.map([&count] { return count; });
}

}  // namespace sched_exporter
