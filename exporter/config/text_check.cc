#include "exporter/config/text_check.h"

#include <cstdint>
#include <optional>
#include <string>

namespace sched_exporter {
namespace {

struct CodePoint {
  std::uint32_t value;
  std::size_t bytes;
};

/// Bytes of the UTF-8 sequence that starts with `first`, or 0 when none does.
std::size_t SequenceLength(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first < 0xe0) {
    return 2;
  }
  if (first >= 0xe0 && first < 0xf0) {
    return 3;
  }
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/// The first code point of `text`, which is not empty; nothing when it isn't valid UTF-8. Overlong
/// forms, surrogates and values beyond U+10FFFF aren't.
std::optional<CodePoint> Decode(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t length = SequenceLength(first);
  if (length == 0 || length > text.size()) {
    return std::nullopt;
  }
  std::uint32_t value = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) {
      return std::nullopt;
    }
    value = (value << 6) | (byte & 0x3fU);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < kSmallest[length] || value > 0x10ffff || is_surrogate) {
    return std::nullopt;
  }
  return CodePoint{value, length};
}

/// The set c-printable of YAML 1.2, without the carriage return.
bool IsPrintable(std::uint32_t c) {
  return c == '\t' || c == '\n' || (c >= 0x20 && c < 0x7f) || c == 0x85 ||
         (c >= 0xa0 && c != 0xfffe && c != 0xffff);
}

}  // namespace

void CheckText(std::string_view text, Findings& findings) {
  Place place;
  while (!text.empty()) {
    const std::optional<CodePoint> c = Decode(text);
    if (!c) {
      findings.Add(place, "", "expected UTF-8, got the byte " + Quoted(text.substr(0, 1)));
      return;
    }
    const bool is_line_end = text.starts_with("\r\n");
    if (!is_line_end && !IsPrintable(c->value)) {
      findings.Add(
          place, "",
          "expected printable text, got the character " + Quoted(text.substr(0, c->bytes)));
      return;
    }
    place =
        c->value == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + c->bytes};
    text.remove_prefix(c->bytes);
  }
}

}  // namespace sched_exporter
