#pragma once

#include <string>
#include <string_view>

namespace sched_exporter {

/// `bytes` as valid UTF-8 that can be printed in one line: bytes that are no UTF-8 and control
/// characters become `\xNN`, a backslash becomes two. Different bytes give different texts.
std::string PrintableText(std::string_view bytes);

/// The bytes that PrintableText() made `text` of.
std::string BytesOfPrintable(std::string_view text);

}  // namespace sched_exporter
