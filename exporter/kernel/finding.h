#pragma once

#include <string>

namespace sched_exporter {

/// Whether something is there.
enum class Found {
  kYes,
  kNo,
  kUnknown,  ///< It can't be told, for lack of privileges mostly.
};

/// What a look at the kernel or at this process gave.
struct Answer {
  Found found = Found::kUnknown;
  std::string detail = {};  ///< Where or which, or why not; may be empty.
};

/// One thing that the exporter can make use of, as `sched_exporter probe` tells it.
struct Finding {
  std::string feature;
  Answer answer;
  std::string consequence;  ///< What it is used for, or where it is not found what replaces it.
};

}  // namespace sched_exporter
