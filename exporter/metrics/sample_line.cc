#include "exporter/metrics/sample_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace sched_exporter {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
constexpr std::string_view kDigits = "0123456789";
constexpr std::array<std::string_view, 5> kTypes = {"counter", "gauge", "histogram", "summary",
                                                    "untyped"};

bool Has(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

/// Reads a line from left to right.
class Reader {
 public:
  explicit Reader(std::string_view line) : line_(line) {}

  void SkipBlanks() {
    while (at_ < line_.size() && Has(kBlanks, line_[at_])) {
      ++at_;
    }
  }
  bool AtEnd() const { return at_ >= line_.size(); }
  bool Takes(char c) {
    const bool is_there = !AtEnd() && line_[at_] == c;
    at_ += is_there ? 1 : 0;
    return is_there;
  }
  /// Letters, digits and `_`, with `:` where that is allowed; no digit first. Empty if there is no
  /// name.
  std::string TakeName(bool with_colon) {
    const std::size_t from = at_;
    while (!AtEnd() && (Has(kLetters, line_[at_]) || (with_colon && line_[at_] == ':') ||
                        (at_ > from && Has(kDigits, line_[at_])))) {
      ++at_;
    }
    return std::string(line_.substr(from, at_ - from));
  }
  std::string_view TakeWord() {
    const std::size_t end = std::min(line_.find_first_of(kBlanks, at_), line_.size());
    const std::string_view word = line_.substr(at_, end - at_);
    at_ = end;
    return word;
  }
  tl::unexpected<Error> Expected(const std::string& what) const {
    return Fail("expected " + what + " at column " + std::to_string(at_ + 1));
  }

  /// What is between quotes, of which the first was taken.
  Result<std::string> TakeQuoted();

 private:
  std::string_view line_;
  std::size_t at_ = 0;
};

Result<std::string> Reader::TakeQuoted() {
  std::string value;
  while (true) {
    const std::size_t special = std::min(line_.find_first_of("\"\\", at_), line_.size());
    value += line_.substr(at_, special - at_);
    at_ = special;
    if (AtEnd()) {
      return Expected("\" after the label's value");
    }
    if (Takes('"')) {
      return value;
    }
    ++at_;
    if (Takes('n')) {
      value += '\n';
    } else if (Takes('"')) {
      value += '"';
    } else if (Takes('\\')) {
      value += '\\';
    } else {
      return Expected("\\, \" or n after a backslash");
    }
  }
}

Result<void> ReadLabels(Reader& reader, SampleLine& sample) {
  reader.SkipBlanks();
  while (!reader.Takes('}')) {
    std::string name = reader.TakeName(false);
    reader.SkipBlanks();
    if (name.empty()) {
      return reader.Expected("a label's name or }");
    }
    if (!reader.Takes('=')) {
      return reader.Expected("= after the label's name");
    }
    reader.SkipBlanks();
    if (!reader.Takes('"')) {
      return reader.Expected("\" before the label's value");
    }
    auto value = reader.TakeQuoted();
    if (!value) {
      return tl::unexpected(value.error());
    }
    sample.labels.emplace_back(std::move(name), std::move(*value));
    reader.SkipBlanks();
    if (reader.Takes(',')) {
      reader.SkipBlanks();
    } else if (reader.AtEnd() || !reader.Takes('}')) {
      return reader.Expected(", or } after a label");
    } else {
      return {};
    }
  }
  return {};
}

/// As Go's ParseFloat(), but for its underscores and hexadecimal digits.
bool IsNumber(std::string_view word) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
    if (word.starts_with('-')) {
      return false;
    }
  }
  double value = 0;
  const char* const end = word.data() + word.size();
  return !word.empty() && word.find('(') == std::string_view::npos &&
         std::from_chars(word.data(), end, value).ptr == end;
}

bool IsInteger(std::string_view word) {
  std::int64_t value = 0;
  const char* const end = word.data() + word.size();
  return !word.empty() && std::from_chars(word.data(), end, value).ptr == end;
}

Result<SampleLine> ReadComment(Reader& reader) {
  SampleLine line;
  reader.SkipBlanks();
  if (reader.TakeWord() != "TYPE") {
    return line;
  }
  line.kind = SampleLine::Kind::kType;
  reader.SkipBlanks();
  line.name = reader.TakeName(true);
  if (line.name.empty()) {
    return reader.Expected("a metric's name after # TYPE");
  }
  reader.SkipBlanks();
  line.type = std::string(reader.TakeWord());
  reader.SkipBlanks();
  if (std::find(kTypes.begin(), kTypes.end(), line.type) == kTypes.end() || !reader.AtEnd()) {
    return reader.Expected("one of the types counter, gauge, histogram, summary, untyped before");
  }
  return line;
}

Result<void> ReadValue(Reader& reader) {
  reader.SkipBlanks();
  if (!IsNumber(reader.TakeWord())) {
    return reader.Expected("a number before");
  }
  reader.SkipBlanks();
  if (!reader.AtEnd() && !IsInteger(reader.TakeWord())) {
    return reader.Expected("a time in milliseconds before");
  }
  reader.SkipBlanks();
  return reader.AtEnd() ? Result<void>() : reader.Expected("nothing more");
}

}  // namespace

Result<SampleLine> ReadSampleLine(std::string_view text) {
  Reader reader(text);
  reader.SkipBlanks();
  SampleLine line;
  if (reader.AtEnd()) {
    return line;
  }
  if (reader.Takes('#')) {
    return ReadComment(reader);
  }
  line.kind = SampleLine::Kind::kSample;
  line.name = reader.TakeName(true);
  if (line.name.empty()) {
    return reader.Expected("a metric's name");
  }
  reader.SkipBlanks();
  if (reader.Takes('{')) {
    if (auto labels = ReadLabels(reader, line); !labels) {
      return tl::unexpected(labels.error());
    }
  }
  if (auto value = ReadValue(reader); !value) {
    return tl::unexpected(value.error());
  }
  return line;
}

}  // namespace sched_exporter
