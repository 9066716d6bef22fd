#include "exporter/rules/name_template.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "exporter/base/clock.h"
#include "exporter/base/text.h"
#include "exporter/rules/exe.h"

namespace sched_exporter {
namespace {

using Variable = NameTemplate::Variable;

struct VariableName {
  std::string_view name;
  Variable variable;
};

constexpr std::array<VariableName, 11> kVariables{{{".Comm", Variable::kComm},
                                                   {".ExeBase", Variable::kExeBase},
                                                   {".ExeFull", Variable::kExeFull},
                                                   {".Username", Variable::kUsername},
                                                   {".PID", Variable::kPid},
                                                   {".StartTime", Variable::kStartTime},
                                                   {".Cgroups", Variable::kCgroups},
                                                   {".Unit", Variable::kUnit},
                                                   {".Namespace", Variable::kNamespace},
                                                   {".Pod", Variable::kPod},
                                                   {".Container", Variable::kContainer}}};
constexpr std::string_view kMatches = ".Matches.";
constexpr std::string_view kOpening = "{{";
constexpr std::string_view kClosing = "}}";
/// What trim markers take away, and what must stand between them and the variable.
constexpr std::string_view kSpaces = " \t\r\n";

std::string_view TrimmedLeft(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpaces), text.size()));
}

std::string_view TrimmedRight(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);  // npos + 1 is 0.
}

bool IsSpace(char c) { return kSpaces.find(c) != std::string_view::npos; }

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMostShown = 64;
  const bool is_cut = text.size() > kMostShown;
  return '"' + PrintableText(text.substr(0, kMostShown)) + (is_cut ? "...\"" : "\"");
}

std::string ValidVariables() {
  std::string names;
  for (const VariableName& variable : kVariables) {
    names.append(variable.name).append(", ");
  }
  return names.append(kMatches).append("NAME");
}

std::string ValidCaptures(const std::vector<std::string>& captures) {
  std::string names;
  for (const std::string& capture : captures) {
    names.append(names.empty() ? "" : ", ").append(kMatches).append(capture);
  }
  return names.empty() ? "no .Matches without a (?P<NAME>...) in cmdline" : "one of " + names;
}

/// As Go writes a time in UTC: "2026-11-21 14:16:15.5 +0000 UTC", without zeros at the end of the
/// fraction, and without the point where nothing is left.
std::string TimeText(std::uint64_t unix_ns) {
  constexpr std::uint64_t kSecondsInDay = 86'400;
  const std::uint64_t seconds = unix_ns / kNsPerSecond;
  const std::chrono::sys_days day{std::chrono::days(seconds / kSecondsInDay)};
  const std::chrono::year_month_day date(day);
  const std::uint64_t second = seconds % kSecondsInDay;
  std::array<char, 64> text{};
  const int length = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02u %02u:%02u:%02u.%09u", static_cast<int>(date.year()),
      unsigned{date.month()}, unsigned{date.day()}, static_cast<unsigned>(second / 3600),
      static_cast<unsigned>(second / 60 % 60), static_cast<unsigned>(second % 60),
      static_cast<unsigned>(unix_ns % kNsPerSecond));
  std::string_view shown(text.data(), static_cast<std::size_t>(length));
  shown = shown.substr(0, shown.find_last_not_of('0') + 1);
  shown = shown.substr(0, shown.find_last_not_of('.') + 1);
  return std::string(shown) + " +0000 UTC";
}

std::string CaptureNamed(std::string_view name, const NameTemplate::Captures& captures) {
  // The last one: a later expression's capture of the same name counts.
  const auto capture = std::find_if(captures.rbegin(), captures.rend(),
                                    [name](const auto& pair) { return pair.first == name; });
  return capture == captures.rend() ? "" : capture->second;
}

/// The length of what PrintableText() wrote for one character or byte at the start of `text`.
std::size_t PrintedLength(std::string_view text) {
  if (text[0] != '\\') {
    return FirstLength(text);
  }
  constexpr std::string_view kEscape = "\\xNN";
  return text.size() > 1 && text[1] == '\\' ? 2 : kEscape.size();
}

/// Printable `raw`, cut between characters.
std::string Printed(std::string_view raw) {
  // What follows would be cut in any case: each byte is one at least when it is printable. A
  // character has up to four.
  const std::string text = PrintableText(raw.substr(0, NameTemplate::kMostBytes + 4));
  std::size_t end = 0;
  while (end < text.size()) {
    const std::size_t next = end + PrintedLength(std::string_view(text).substr(end));
    if (next > NameTemplate::kMostBytes) {
      break;
    }
    end = next;
  }
  return text.substr(0, end);
}

}  // namespace

Result<NameTemplate> NameTemplate::Parse(std::string_view text,
                                         const std::vector<std::string>& captures) {
  NameTemplate name;
  name.text_ = text;
  bool trims_next = false;
  while (true) {
    const std::size_t opening = text.find(kOpening);
    std::string_view literal = text.substr(0, opening);
    if (trims_next) {
      literal = TrimmedLeft(literal);
    }
    if (opening == std::string_view::npos) {
      name.AddText(literal);
      return name;
    }
    text.remove_prefix(opening);
    const std::size_t closing = text.find(kClosing);
    if (closing == std::string_view::npos) {
      return Fail("expected \"}}\" after \"{{\", got " + Quoted(text));
    }
    std::string_view action = text.substr(kOpening.size(), closing - kOpening.size());
    const bool trims_last = action.size() > 1 && action[0] == '-' && IsSpace(action[1]);
    if (trims_last) {
      action.remove_prefix(1);
      literal = TrimmedRight(literal);
    }
    trims_next = action.size() > 1 && action.back() == '-' && IsSpace(action[action.size() - 2]);
    if (trims_next) {
      action.remove_suffix(1);
    }
    Result<Piece> piece = ParseAction(TrimmedLeft(TrimmedRight(action)), captures);
    if (!piece) {
      return tl::unexpected(std::move(piece.error()));
    }
    name.AddText(literal);
    name.pieces_.push_back(*std::move(piece));
    text.remove_prefix(closing + kClosing.size());
  }
}

Result<NameTemplate::Piece> NameTemplate::ParseAction(std::string_view action,
                                                      const std::vector<std::string>& captures) {
  if (action.starts_with(kMatches)) {
    const std::string capture(action.substr(kMatches.size()));
    if (std::find(captures.begin(), captures.end(), capture) != captures.end()) {
      return Piece{true, Variable::kMatch, capture};
    }
    return Fail("expected " + ValidCaptures(captures) + ", got " + Quoted(action));
  }
  const auto* const variable =
      std::find_if(kVariables.begin(), kVariables.end(),
                   [action](const VariableName& known) { return known.name == action; });
  if (variable == kVariables.end()) {
    return Fail("expected in {{}} one of " + ValidVariables() + ", got " + Quoted(action));
  }
  return Piece{true, variable->variable, ""};
}

void NameTemplate::AddText(std::string_view text) {
  if (!text.empty()) {
    pieces_.push_back({false, Variable::kComm, std::string(text)});
  }
}

std::string NameTemplate::Render(const ProcessFacts& facts, const Captures& captures) const {
  std::string raw;
  for (const Piece& piece : pieces_) {
    raw += piece.is_variable ? ValueOf(piece, facts, captures) : piece.text;
  }
  return raw.empty() ? "(empty)" : Printed(raw);
}

std::string NameTemplate::ValueOf(const Piece& piece, const ProcessFacts& facts,
                                  const Captures& captures) {
  switch (piece.variable) {
    case Variable::kComm:
      return facts.comm;
    case Variable::kExeBase:
      return std::string(ExeBaseOf(facts));
    case Variable::kExeFull:
      return std::string(ExeFullOf(facts));
    case Variable::kUsername:
      return facts.user;
    case Variable::kMatch:
      return CaptureNamed(piece.text, captures);
    case Variable::kPid:
      return std::to_string(facts.pid);
    case Variable::kStartTime:
      return TimeText(facts.start_unix_ns);
    case Variable::kCgroups:
      return "[" + facts.cgroup + "]";  // How Go prints a list.
    case Variable::kUnit:
      return facts.unit;
    case Variable::kNamespace:
      return facts.pod_namespace;
    case Variable::kPod:
      return facts.pod;
    case Variable::kContainer:
      return facts.container;
  }
  return "";
}

bool NameTemplate::IsConstant() const {
  return std::none_of(pieces_.begin(), pieces_.end(),
                      [](const Piece& piece) { return piece.is_variable; });
}

RuleNeeds NameTemplate::needs() const {
  RuleNeeds needs;
  for (const Piece& piece : pieces_) {
    const auto uses = [&piece](std::initializer_list<Variable> variables) {
      return piece.is_variable &&
             std::find(variables.begin(), variables.end(), piece.variable) != variables.end();
    };
    needs.arguments |= uses({Variable::kExeBase, Variable::kExeFull, Variable::kMatch});
    needs.user |= uses({Variable::kUsername});
    needs.cgroup |= uses({Variable::kCgroups});
    needs.unit |= uses({Variable::kUnit});
    needs.pods |= uses({Variable::kNamespace, Variable::kPod, Variable::kContainer});
    needs.process |= uses({Variable::kPid, Variable::kStartTime});
  }
  return needs;
}

}  // namespace sched_exporter
