#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sched_exporter {

/// `bytes` as valid UTF-8 that can be printed in one line: bytes that are no UTF-8 and control
/// characters become `\xNN`, a backslash becomes two. Different bytes give different texts.
std::string PrintableText(std::string_view bytes);

/// The bytes that PrintableText() made `text` of.
std::string BytesOfPrintable(std::string_view text);

/// The length of what is first in `bytes`, which must not be empty: a well-formed UTF-8 sequence,
/// or 1 for a byte that begins none.
std::size_t FirstLength(std::string_view bytes);

/// `bytes` with U+FFFD in place of each byte that is no UTF-8, as Go reads them.
std::string ReplacedInvalid(std::string_view bytes);

bool IsUtf8(std::string_view bytes);

/// `bytes` between quotation marks as PrintableText(), cut after 100 of them: for messages.
std::string Excerpt(std::string_view bytes);

/// Whatever the locale says.
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// `text` without the blanks and tabs at both ends.
std::string_view Trim(std::string_view text);

}  // namespace sched_exporter
