#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/metrics_text.h"

namespace sched_exporter::test_support {

/// `promtool check metrics` with `text` as its input; silent and 0 where all is good.
Ended PromtoolCheck(const std::string& text);

/// Series that are there more than once, one line each.
std::vector<std::string> DuplicateSeries(const MetricsText& metrics);

/// Whether glibc's iconv, which is strict, takes `text` for UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace sched_exporter::test_support
