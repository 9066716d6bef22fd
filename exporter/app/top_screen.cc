#include "exporter/app/top_screen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "exporter/app/terminal_text.h"
#include "exporter/base/text.h"
#include "exporter/model/distributions.h"

namespace sched_exporter {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kSparkColumns = 20;
/// A terminal that is narrower has more use for names.
constexpr std::size_t kColumnsForSparks = 100;
/// A terminal that is narrower has the more important columns alone.
constexpr std::size_t kColumnsForExtras = 160;
constexpr std::array<const char*, 8> kSparks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr double kShortestStep_s = 0.1;
constexpr double kLongestStep_s = 3600;

// The answer may be of any program: nothing in it is taken for granted.

const Json& Member(const Json& object, const char* key) {
  static const Json kNull;
  const auto found = object.is_object() ? object.find(key) : object.end();
  return object.is_object() && found != object.end() ? *found : kNull;
}

std::optional<double> NumberOf(const Json& value) {
  return value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt;
}

std::string TextOf(const Json& object, const char* key) {
  const Json& value = Member(object, key);
  return value.is_string() ? TerminalText(value.get_ref<const std::string&>()) : "";
}

/// A number with as many places behind the point; "-" where there is none.
std::string Figure(const Json& object, const char* key, int places) {
  const auto number = NumberOf(Member(object, key));
  if (!number) {
    return "-";
  }
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), std::abs(*number) < 1e15 ? "%.*f" : "%.*e", places,
                *number);
  return text.data();
}

std::string Cell(const std::string& text, int width) {
  const auto columns = static_cast<std::size_t>(std::abs(width));
  const std::string cut = CutToColumns(text, columns);
  // Wide characters count as two, so that none is left over.
  const auto characters =
      static_cast<std::size_t>(std::count_if(cut.begin(), cut.end(), [](char c) {
        return (static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U;
      }));
  const std::string pad(columns - std::min(columns, characters), ' ');
  return (width < 0 ? cut + pad : pad + cut) + "  ";
}

/// The newest values, a character each, the largest of them full.
std::string Sparkline(const Json& values) {
  const std::size_t count = values.is_array() ? std::min(values.size(), kSparkColumns) : 0;
  std::string line(kSparkColumns - count, ' ');
  double largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    largest = std::max(largest, NumberOf(values[values.size() - count + i]).value_or(0));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = NumberOf(values[values.size() - count + i]);
    if (!value) {
      line += ' ';
      continue;
    }
    const double level = largest > 0 ? std::clamp(*value / largest, 0.0, 1.0) * 7 : 0;
    line += kSparks[static_cast<std::size_t>(std::lround(level))];
  }
  return line + "  ";
}

/// A length of time with two digits, where it has a fraction; "-" where there is none.
std::string LengthText(std::optional<double> seconds) {
  if (!seconds) {
    return "-";
  }
  constexpr std::array<std::pair<const char*, double>, 3> kUnits{
      {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}}};
  constexpr double kNext = 999.5;  // so many of a unit are shown as one of the next
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && *seconds >= kNext * kUnits[unit].second) {
    ++unit;
  }
  const double number = *seconds / kUnits[unit].second;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), number < 9.95 ? "%.1f%s" : "%.0f%s",
                std::clamp(number, 0.0, 1e9), kUnits[unit].first);
  return text.data();
}

/// A quantile of a distribution: "runqueue_latency.p99". What is longer than all bounds is told by
/// the largest of them.
std::string QuantileText(const Json& row, std::string_view key) {
  const std::size_t point = key.find('.');
  const Json& distribution = Member(row, std::string(key.substr(0, point)).c_str());
  const auto bound = NumberOf(Member(distribution, std::string(key.substr(point + 1)).c_str()));
  if (bound || !distribution.is_object()) {
    return LengthText(bound);
  }
  return ">" + LengthText(static_cast<double>(Durations::BoundNs(kDurationBounds - 1)) / 1e9);
}

struct Column {
  enum class Kind { kNumber, kText, kQuantile };
  const char* title;
  int width;  ///< Negative: flush left.
  const char* key;
  int places = 0;
  Kind kind = Kind::kNumber;
  bool is_extra = false;  ///< Only where there is much room.
};

using Columns = std::vector<Column>;

const Columns& ColumnsOf(const std::string& view) {
  static const Columns kGroups{{"CPUS", 7, "cpu", 3},
                               {"WAIT", 7, "wait", 3},
                               {"STARTS/S", 8, "starts", 1},
                               {"SWITCH/S", 8, "switches", 0},
                               {"THREADS", 7, "threads", 0},
                               {"PROCS", 6, "processes", 0},
                               {"CPU TIME", 10, "cpu_seconds", 1}};
  static const Columns kCgroups{
      {"CPUS", 7, "cpu", 3},
      {"WAIT", 7, "wait", 3},
      {"WAIT 50%", 8, "runqueue_latency.p50", 0, Column::Kind::kQuantile, true},
      {"WAIT 99%", 8, "runqueue_latency.p99", 0, Column::Kind::kQuantile},
      {"SLICE 50%", 9, "timeslice.p50", 0, Column::Kind::kQuantile, true},
      {"SLICE 99%", 9, "timeslice.p99", 0, Column::Kind::kQuantile, true},
      {"STARTS/S", 8, "starts", 1},
      {"SWITCH/S", 8, "switches", 0, Column::Kind::kNumber, true},
      {"THREADS", 7, "threads", 0},
      {"PROCS", 6, "processes", 0},
      {"CPU TIME", 10, "cpu_seconds", 1}};
  static const Columns kProcesses{{"PID", 7, "pid", 0},
                                  {"USER", -8, "user", 0, Column::Kind::kText},
                                  {"CPUS", 7, "cpu", 3},
                                  {"WAIT", 7, "wait", 3},
                                  {"SWITCH/S", 8, "switches", 0},
                                  {"THREADS", 7, "threads", 0},
                                  {"CPU TIME", 10, "cpu_seconds", 1}};
  return view == "process" ? kProcesses : view == "cgroup" ? kCgroups : kGroups;
}

std::string CellText(const Json& row, const Column& column) {
  switch (column.kind) {
    case Column::Kind::kText:
      return TextOf(row, column.key);
    case Column::Kind::kQuantile:
      return QuantileText(row, column.key);
    case Column::Kind::kNumber:
      break;
  }
  return Figure(row, column.key, column.places);
}

std::string RowText(const Json& row, const Columns& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += Cell(CellText(row, column), column.width);
  }
  return text;
}

std::string TitleText(const Columns& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += Cell(column.title, column.width);
  }
  return text;
}

/// A process whose group has another name says so.
std::string NameText(const Json& row) {
  std::string name = TextOf(row, "name");
  const std::string group = TextOf(row, "group");
  if (!group.empty() && group != name) {
    name.append(" (").append(group).append(")");
  }
  const Json& labels = Member(row, "labels");
  if (labels.is_object()) {
    for (const auto& [label, value] : labels.items()) {
      name.append(" ")
          .append(TerminalText(label))
          .append("=")
          .append(TextOf(labels, label.c_str()));
    }
  }
  return name;
}

std::string ClockText(double unix_s) {
  const auto seconds = static_cast<std::time_t>(std::clamp(unix_s, 0.0, 253402300799.0));
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

std::string HeadText(const Json& answer) {
  const Json& host = Member(answer, "host");
  const auto time = NumberOf(Member(answer, "time"));
  return TextOf(host, "name") + "  " + (time ? ClockText(*time) : "--:--:--") + "  " +
         Figure(host, "cpu", 2) + " of " + Figure(answer, "cpus", 0) + " CPUs used, " +
         Figure(host, "wait", 2) + " tasks wait, " + Figure(host, "starts", 1) + " starts/s, " +
         Figure(host, "tasks", 0) + " tasks";
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

void AddLine(TopScreen& screen, const TopRoom& room, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  screen.lines.push_back(room.columns == 0 ? std::move(line) : CutToColumns(line, room.columns));
}

}  // namespace

std::string CutToColumns(std::string_view text, std::size_t columns) {
  constexpr std::uint8_t kFirstWideLead = 0xE1;  // U+1000 and above; few of them are narrow
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const std::size_t length = FirstLength(text.substr(bytes));
    const auto lead = static_cast<std::uint8_t>(text[bytes]);
    const bool is_spark = lead == 0xE2;  // U+2000 to U+2FFF: what we draw with, punctuation
    used += lead >= kFirstWideLead && !is_spark ? 2 : 1;
    if (used > columns) {
      break;
    }
    bytes += length;
  }
  return std::string(text.substr(0, bytes));
}

Result<TopScreen> MakeTopScreen(std::string_view json, const TopRoom& room) {
  const Json answer = Json::parse(json, nullptr, false);
  const Json& rows = Member(answer, "rows");
  if (!rows.is_array() || !Member(answer, "view").is_string()) {
    return Fail("the answer is not that of /api/v1/top of a sched_exporter");
  }
  const std::string view = TextOf(answer, "view");
  Columns columns = ColumnsOf(view);
  if (room.columns != 0 && room.columns < kColumnsForExtras) {
    std::erase_if(columns, [](const Column& column) { return column.is_extra; });
  }
  const bool sparks = room.utf8 && (room.columns == 0 || room.columns >= kColumnsForSparks);
  TopScreen screen;
  screen.has_step = NumberOf(Member(answer, "time")).has_value();
  screen.next_s = std::clamp(NumberOf(Member(answer, "step_seconds")).value_or(kShortestStep_s),
                             kShortestStep_s, kLongestStep_s);
  AddLine(screen, room, HeadText(answer));
  AddLine(screen, room,
          TitleText(columns) +
              (sparks ? Cell("CPU LATELY", -static_cast<int>(kSparkColumns)) : "") + Upper(view));
  for (const Json& row : rows) {
    const std::string spark =
        sparks ? Sparkline(Member(Member(row, "history"), "cpu")) : std::string();
    AddLine(screen, room, RowText(row, columns) + spark + NameText(row));
  }
  return screen;
}

}  // namespace sched_exporter
