#pragma once

#include <cstdint>
#include <string>

#include "exporter/metrics/series_sink.h"

namespace sched_exporter {

/// How a number is written. Both texts of a number read as the same double.
enum class NumberStyle {
  kClassic,   ///< As prometheus::TextSerializer does, letter by letter: `%.16g`.
  kShortest,  ///< With the fewest digits, but never more than the above.
};

/// Appends any double.
void AppendNumber(std::string& text, double value, NumberStyle style);

/// Appends what AppendNumber() makes of `value.AsDouble()`, in less time.
void AppendValue(std::string& text, Value value, NumberStyle style);

/// Appends an integer with all its digits.
void AppendInteger(std::string& text, std::uint64_t value);

/// Appends seconds with all nine digits of their fraction.
void AppendExactSeconds(std::string& text, std::uint64_t ns);

}  // namespace sched_exporter
