#pragma once

#include <string_view>

#include "exporter/config/findings.h"

namespace sched_exporter {

/// Adds a finding for the first byte of `text` that a YAML file must not hold: invalid UTF-8,
/// control characters, a carriage return without a line feed. yaml-cpp would take some of them for
/// the end of the file and drop the rest without a word (0x04, and NUL in the middle).
void CheckText(std::string_view text, Findings& findings);

}  // namespace sched_exporter
