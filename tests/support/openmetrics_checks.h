#pragma once

#include <string>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter::test_support {

/// The series of a text, one JSON array [name, labels, value] each, sorted, as the parsers of
/// Debian's python3-prometheus-client read it. Fails with their word where the text is not of the
/// format; that of OpenMetrics is held to the specification (tests/support/series_of_text.py).
Result<std::vector<std::string>> SeriesOfClassic(const std::string& text);
Result<std::vector<std::string>> SeriesOfOpenMetrics(const std::string& text);

}  // namespace sched_exporter::test_support
