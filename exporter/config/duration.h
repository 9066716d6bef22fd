#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sched_exporter {

/// Reads a duration as Prometheus writes it: whole numbers with the units y, w, d, h, m, s and ms,
/// each at most once and the largest first, as in 1m30s. Nothing when `text` is anything else, a
/// bare number included, or longer than milliseconds can hold.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// The shortest text that ParseDuration reads as `duration`, which must not be negative; hours are
/// the largest unit.
std::string FormatDuration(std::chrono::milliseconds duration);

}  // namespace sched_exporter
