#include "exporter/metrics/negotiation.h"

#include <algorithm>
#include <optional>

namespace sched_exporter {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == text.npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualNoCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

/// Takes what comes before `separator` off the front of `rest`; one in quotes separates nothing.
std::string_view Next(std::string_view& rest, char separator) {
  bool quoted = false;
  std::size_t end = 0;
  while (end < rest.size() && (quoted || rest[end] != separator)) {
    if (rest[end] == '"') {
      quoted = !quoted;
    } else if (quoted && rest[end] == '\\') {
      ++end;
    }
    ++end;
  }
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return Trim(part);
}

std::string_view Unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// Thousandths of a weight (RFC 9110, 12.4.2): "0.5", "1.000"; none where it is no weight.
std::optional<int> WeightOf(std::string_view value) {
  constexpr std::size_t kLongest = 5;
  if (value.empty() || value.size() > kLongest || (value[0] != '0' && value[0] != '1') ||
      (value.size() > 1 && value[1] != '.')) {
    return std::nullopt;
  }
  int weight = (value[0] - '0') * 1000;
  int place = 100;
  for (const char digit : value.substr(std::min<std::size_t>(2, value.size()))) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= 1000 ? std::optional(weight) : std::nullopt;
}

/// One element of Accept: a type, or a range of them, and its weight.
struct MediaRange {
  std::string_view type;
  std::string_view version;  ///< Empty: any.
  bool is_utf8 = true;
  int weight = 1000;
};

/// None where the weight is none. Parameters that we don't know, as `escaping` of Prometheus 3, are
/// met by every answer: all our names are plain.
std::optional<MediaRange> ReadRange(std::string_view element) {
  MediaRange range;
  range.type = Next(element, ';');
  while (!element.empty()) {
    std::string_view value = Next(element, ';');
    const std::string_view name = Next(value, '=');
    value = Unquoted(Trim(value));
    if (EqualNoCase(name, "q")) {
      const auto weight = WeightOf(value);
      if (!weight) {
        return std::nullopt;
      }
      range.weight = *weight;
    } else if (EqualNoCase(name, "version")) {
      range.version = value;
    } else if (EqualNoCase(name, "charset")) {
      range.is_utf8 = EqualNoCase(value, "utf-8");
    }
  }
  return range;
}

/// How closely a range names a type; the closest one of all decides.
enum Closeness { kNoMatch, kAnyType, kAnySubtype, kType, kTypeAndVersion };

struct Candidate {
  std::string_view all_subtypes;
  std::string_view type;
  std::string_view version;
  Closeness closeness = kNoMatch;
  int weight = 0;

  void Meet(const MediaRange& range) {
    const Closeness met = ClosenessOf(range);
    if (met == kNoMatch || met < closeness) {
      return;
    }
    weight = met == closeness ? std::max(weight, range.weight) : range.weight;
    closeness = met;
  }

  Closeness ClosenessOf(const MediaRange& range) const {
    if (!range.is_utf8 || (!range.version.empty() && range.version != version)) {
      return kNoMatch;
    }
    if (EqualNoCase(range.type, type)) {
      return range.version.empty() ? kType : kTypeAndVersion;
    }
    if (EqualNoCase(range.type, all_subtypes)) {
      return kAnySubtype;
    }
    return range.type == "*/*" ? kAnyType : kNoMatch;
  }
};

}  // namespace

TextFormat NegotiateFormat(std::string_view accept) {
  Candidate classic{"text/*", "text/plain", "0.0.4"};
  Candidate open{"application/*", "application/openmetrics-text", "1.0.0"};
  Candidate draft{"application/*", "application/openmetrics-text", "0.0.1"};
  while (!accept.empty()) {
    if (const auto range = ReadRange(Next(accept, ','))) {
      for (Candidate* candidate : {&classic, &open, &draft}) {
        candidate->Meet(*range);
      }
    }
  }
  const bool is_draft = draft.weight > open.weight;
  const Candidate& best = is_draft ? draft : open;
  const bool wins =
      best.weight > classic.weight || (best.weight == classic.weight && best.closeness >= kType);
  if (best.weight == 0 || !wins) {
    return TextFormat::kClassic;
  }
  return is_draft ? TextFormat::kOpenMetricsAsDraft : TextFormat::kOpenMetrics;
}

const char* ContentTypeOf(TextFormat format) {
  switch (format) {
    case TextFormat::kOpenMetrics:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case TextFormat::kOpenMetricsAsDraft:
      return "application/openmetrics-text; version=0.0.1; charset=utf-8";
    case TextFormat::kClassic:
      break;
  }
  return "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace sched_exporter
