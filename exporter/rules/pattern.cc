#include "exporter/rules/pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

/// Most bytes of RE2's reason that are shown: it may repeat the whole expression.
constexpr std::size_t kMostReasonBytes = 100;

RE2::Options Options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(Pattern::kMostMemory);
  return options;
}

/// What to write instead of what Perl or newer libraries know and this one does not.
std::string HintFor(const std::string& text, RE2::ErrorCode code) {
  if (code == RE2::ErrorPatternTooLarge) {
    return "; make it smaller, counted repetitions first";
  }
  for (const char* around : {"(?=", "(?!", "(?<=", "(?<!"}) {
    if (text.find(around) != std::string::npos) {
      return "; RE2 knows no look-around";
    }
  }
  return text.find("(?<") == std::string::npos ? "" : "; write (?P<name>...)";
}

/// Printable, but with the backslashes of expressions as they are.
std::string Printable(std::string_view text) {
  std::string printable;
  while (true) {
    const std::size_t backslash = text.find('\\');
    printable += PrintableText(text.substr(0, backslash));
    if (backslash == std::string_view::npos) {
      return printable;
    }
    printable += '\\';
    text.remove_prefix(backslash + 1);
  }
}

std::string Reason(const std::string& text, const RE2& expression) {
  const std::string_view reason = expression.error();
  const bool is_cut = reason.size() > kMostReasonBytes;
  return Printable(reason.substr(0, kMostReasonBytes)) + (is_cut ? "..." : "") +
         HintFor(text, expression.error_code());
}

/// Where in `bytes` that is which is at `offset` of ReplacedInvalid(bytes).
std::size_t OriginalOffset(std::string_view bytes, std::size_t offset) {
  constexpr std::size_t kReplacementLength = 3;
  std::size_t original = 0;
  for (std::size_t at = 0; at < offset;) {
    const std::string_view rest = bytes.substr(original);
    const std::size_t length = FirstLength(rest);
    at += IsUtf8(rest.substr(0, length)) ? length : kReplacementLength;
    original += length;
  }
  return original;
}

bool Found(const RE2& expression, std::string_view text, std::vector<re2::StringPiece>& groups) {
  return expression.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED,
                          groups.data(), static_cast<int>(groups.size()));
}

}  // namespace

Result<Pattern> Pattern::Compile(const std::string& text) {
  auto expression = std::make_shared<const RE2>(text, Options());
  if (!expression->ok()) {
    return Fail(Reason(text, *expression));
  }
  return Pattern(std::move(expression));
}

bool Pattern::Matches(std::string_view text) const {
  return IsUtf8(text) ? MatchesUtf8(text) : MatchesUtf8(ReplacedInvalid(text));
}

bool Pattern::MatchesUtf8(std::string_view text) const {
  std::vector<re2::StringPiece> none;
  return Found(*expression_, text, none);
}

bool Pattern::Capture(std::string_view text,
                      std::vector<std::pair<std::string, std::string>>& captures) const {
  const bool is_utf8 = IsUtf8(text);
  const std::string replaced = is_utf8 ? "" : ReplacedInvalid(text);
  const std::string_view subject = is_utf8 ? text : replaced;
  std::vector<re2::StringPiece> groups(
      static_cast<std::size_t>(expression_->NumberOfCapturingGroups()) + 1);
  if (!Found(*expression_, subject, groups)) {
    return false;
  }
  for (const auto& [name, index] : expression_->NamedCapturingGroups()) {
    const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
    if (group.data() == nullptr) {
      captures.emplace_back(name, "");
      continue;
    }
    std::size_t begin = static_cast<std::size_t>(group.data() - subject.data());
    std::size_t end = begin + group.size();
    if (!is_utf8) {
      begin = OriginalOffset(text, begin);
      end = OriginalOffset(text, end);
    }
    captures.emplace_back(name, text.substr(begin, end - begin));
  }
  return true;
}

std::vector<std::string> Pattern::CaptureNames() const {
  std::vector<std::string> names;
  for (const auto& [name, index] : expression_->NamedCapturingGroups()) {
    names.push_back(name);
  }
  return names;
}

const std::string& Pattern::text() const { return expression_->pattern(); }

std::size_t Pattern::instructions() const {
  return static_cast<std::size_t>(std::max(expression_->ProgramSize(), 0));
}

bool NameFilter::Lets(std::string_view name) const {
  const auto matches = [name](const Pattern& pattern) { return pattern.Matches(name); };
  return (include.empty() || std::any_of(include.begin(), include.end(), matches)) &&
         std::none_of(exclude.begin(), exclude.end(), matches);
}

}  // namespace sched_exporter
