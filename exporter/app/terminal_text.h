#pragma once

#include <string>
#include <string_view>

namespace sched_exporter {

/// `text` for one line of a terminal: as PrintableText(), but backslashes stay as they are, and
/// what is not seen or would turn the order of letters around is its code, as in `\u{202e}`.
std::string TerminalText(std::string_view text);

/// TerminalText() of each line of `text`.
std::string TerminalLines(std::string_view text);

}  // namespace sched_exporter
