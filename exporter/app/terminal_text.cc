#include "exporter/app/terminal_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

/// Of a well-formed sequence of more than one byte.
char32_t CodePoint(std::string_view sequence) {
  const auto first = static_cast<std::uint8_t>(sequence[0]);
  char32_t point = first & (0x7FU >> sequence.size());
  for (const char byte : sequence.substr(1)) {
    point = point << 6U | (static_cast<std::uint8_t>(byte) & 0x3FU);
  }
  return point;
}

/// Whether a letter of a name isn't seen or turns the order of others around: Unicode's categories
/// Cf, Zl and Zp, and letters that are blank. The live page has the same (format.js).
bool IsInvisible(char32_t point) {
  constexpr std::pair<char32_t, char32_t> kRanges[] = {
      {0xAD, 0xAD},       {0x34F, 0x34F},     {0x600, 0x605},     {0x61C, 0x61C},
      {0x6DD, 0x6DD},     {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},
      {0x115F, 0x1160},   {0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},
      {0x2060, 0x2064},   {0x2066, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},
      {0xFFA0, 0xFFA0},   {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD}, {0x110CD, 0x110CD},
      {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0001, 0xE0001},
      {0xE0020, 0xE007F}};
  return std::any_of(std::begin(kRanges), std::end(kRanges), [point](const auto& range) {
    return range.first <= point && point <= range.second;
  });
}

void AppendCode(std::string& text, char32_t point) {
  std::array<char, 8> digits{};
  const auto end = std::to_chars(digits.begin(), digits.end(), std::uint32_t{point}, 16).ptr;
  text.append("\\u{").append(digits.begin(), end).append("}");
}

}  // namespace

std::string TerminalText(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::string_view letter = text.substr(0, FirstLength(text));
    if (letter.size() > 1 && IsInvisible(CodePoint(letter))) {
      AppendCode(safe, CodePoint(letter));
    } else if (letter == "\\") {
      safe += letter;  // harmless, and PrintableText() would double it
    } else {
      safe += PrintableText(letter);
    }
    text.remove_prefix(letter.size());
  }
  return safe;
}

std::string TerminalLines(std::string_view text) {
  std::string safe;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    safe += TerminalText(text.substr(0, end)) + '\n';
    text.remove_prefix(end + 1);
  }
  return safe + TerminalText(text);
}

}  // namespace sched_exporter
