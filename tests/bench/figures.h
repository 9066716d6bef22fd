#pragma once

#include <string>

#include "tests/bench/statistics.h"

namespace sched_exporter::test_support {

/// Writes a figure to the file that SCHED_EXPORTER_FIGURES names, for run.sh and picture.py:
/// "NAME<tab>MEDIAN<tab>LOWER<tab>UPPER". Nothing without that variable.
void RecordFigure(const std::string& name, const Spread& spread);

/// The same of a single reading.
void RecordFigure(const std::string& name, double value);

/// "12.3 to 14.5", the quartiles with so many decimals.
std::string QuartilesText(const Spread& spread, int decimals);

/// A number with so many decimals.
std::string NumberText(double value, int decimals);

/// A number with a comma before each three digits, "10,000".
std::string GroupedText(long value);

}  // namespace sched_exporter::test_support
