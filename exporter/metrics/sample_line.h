#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// A line of the text exposition format 0.0.4.
struct SampleLine {
  enum class Kind {
    kNothing,  ///< Empty, or a comment.
    kType,     ///< `# TYPE name type`.
    kSample,
  };
  Kind kind = Kind::kNothing;
  std::string name;
  std::string type;  ///< Of kType: "counter", "gauge", "histogram", "summary" or "untyped".
  std::vector<std::pair<std::string, std::string>> labels;  ///< Values without escapes.
};

/// Reads one line, without its newline, of any exporter. Fails with what was expected and where,
/// not with the line itself.
Result<SampleLine> ReadSampleLine(std::string_view line);

}  // namespace sched_exporter
