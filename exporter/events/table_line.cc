#include "exporter/events/table_line.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string_view>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/code_names.h"
#include "exporter/base/text.h"
#include "exporter/events/event_text.h"
#include "exporter/model/exit_code_name.h"

namespace sched_exporter {
namespace {

constexpr std::uint64_t kMicrosecondNs = 1'000;
constexpr std::uint64_t kMillisecondNs = 1'000'000;

struct Column {
  const char* name;
  std::size_t width;
};

/// The last column, EXE, has no width.
constexpr std::array<Column, 11> kColumns{{{"TIME", 12},
                                           {"EVENT", 11},
                                           {"PID", 7},
                                           {"PPID", 7},
                                           {"UID", 10},
                                           {"COMM", 16},
                                           {"RESULT", 12},
                                           {"RUN", 7},
                                           {"WAIT", 7},
                                           {"LIFETIME", 8},
                                           {"CGROUP", 32}}};

bool ContinuesCharacter(char byte) { return (static_cast<std::uint8_t>(byte) & 0xC0U) == 0x80U; }

/// Bytes of the first `characters` of UTF-8.
std::size_t BytesOf(std::string_view text, std::size_t characters) {
  std::size_t bytes = 0;
  while (bytes < text.size() && characters > 0) {
    ++bytes;
    while (bytes < text.size() && ContinuesCharacter(text[bytes])) {
      ++bytes;
    }
    --characters;
  }
  return bytes;
}

std::size_t CharactersOf(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), ContinuesCharacter));
}

std::string Cell(const std::string& text, std::size_t width) {
  const std::size_t characters = CharactersOf(text);
  if (characters > width) {
    return text.substr(0, BytesOf(text, width - 1)) + "…";
  }
  return text + std::string(width - characters, ' ');
}

/// `cells` may be fewer than the columns, and one more, which is not cut.
std::string Row(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    row += i < kColumns.size() ? Cell(cells[i], kColumns[i].width) + " " : cells[i];
  }
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

/// `number` with zeros in front.
std::string Digits(std::uint64_t number, std::size_t count) {
  const std::string text = std::to_string(number);
  return text.size() < count ? std::string(count - text.size(), '0') + text : text;
}

std::string LocalTime(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / kNsPerSecond);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return std::string(text.data()) + "." + Digits(unix_ns % kNsPerSecond / kMillisecondNs, 3);
}

/// With one digit after the point, cut.
std::string Tenths(std::uint64_t ns, std::uint64_t unit_ns, const char* unit) {
  return std::to_string(ns / unit_ns) + "." + std::to_string(ns % unit_ns * 10 / unit_ns) + unit;
}

std::string DurationText(std::uint64_t ns) {
  if (ns < kMillisecondNs) {
    return Tenths(ns, kMicrosecondNs, "us");
  }
  if (ns < kNsPerSecond) {
    return Tenths(ns, kMillisecondNs, "ms");
  }
  if (ns < 60 * kNsPerSecond) {
    return Tenths(ns, kNsPerSecond, "s");
  }
  const std::uint64_t minutes = ns / (60 * kNsPerSecond);
  if (minutes < 60) {
    return std::to_string(minutes) + "m" + Digits(ns / kNsPerSecond % 60, 2) + "s";
  }
  const std::uint64_t hours = minutes / 60;
  return hours < 24 ? std::to_string(hours) + "h" + Digits(minutes % 60, 2) + "m"
                    : std::to_string(hours / 24) + "d" + Digits(hours % 24, 2) + "h";
}

std::string ResultText(const LifecycleEvent& event) {
  switch (event.type) {
    case LifecycleEvent::Type::kExec:
      return "ok";
    case LifecycleEvent::Type::kExecFailed:
      return ErrnoName(event.code);
    case LifecycleEvent::Type::kExit:
      return ExitCodeName(event.code);
    case LifecycleEvent::Type::kOomKill:
      return "killed";
    case LifecycleEvent::Type::kLost:
      break;
  }
  return "-";
}

/// Such that words can be told apart, as a shell would read them.
std::string Quoted(const std::string& word) {
  if (!word.empty() && word.find_first_of(" '\"") == std::string::npos) {
    return word;
  }
  std::string quoted = "'";
  for (const char byte : word) {
    quoted += byte == '\'' ? "'\\''" : std::string(1, byte);
  }
  return quoted + "'";
}

/// The program, and its arguments without its own name.
std::string CommandText(const ProgramImage& image, bool arguments) {
  std::string text = PrintableText(image.file);
  text += image.file_cut ? "…" : "";
  if (!arguments) {
    return text;
  }
  const std::vector<std::string> words = PrintableArguments(image);
  for (std::size_t i = 1; i < words.size(); ++i) {
    text += " " + Quoted(words[i]);
  }
  return text + (image.arguments_cut ? "…" : "");
}

}  // namespace

std::string TableHeader() {
  std::vector<std::string> names;
  names.reserve(kColumns.size() + 1);
  for (const Column& column : kColumns) {
    names.emplace_back(column.name);
  }
  names.emplace_back("EXE");
  return Row(names);
}

std::string TableLine(const LifecycleEvent& event, bool arguments) {
  const std::string time = LocalTime(event.time_unix_ns);
  if (event.type == LifecycleEvent::Type::kLost) {
    return time + " lost: " + event.buffer + " had no room for " + std::to_string(event.lost) +
           (event.lost == 1 ? " event\n" : " events\n");
  }
  const bool ended = event.type == LifecycleEvent::Type::kExit;
  const auto duration = [&](std::optional<std::uint64_t> ns) {
    return ended && ns ? DurationText(*ns) : std::string("-");
  };
  return Row({time, EventName(event.type), std::to_string(event.pid), std::to_string(event.ppid),
              std::to_string(event.uid), event.comm, ResultText(event), duration(event.run_ns),
              duration(event.wait_ns), duration(event.lifetime_ns), event.cgroup,
              event.image == nullptr ? "-" : CommandText(*event.image, arguments)});
}

}  // namespace sched_exporter
