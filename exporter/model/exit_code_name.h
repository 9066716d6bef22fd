#pragma once

#include <string>

#include "exporter/base/code_names.h"
#include "exporter/model/lifecycle.h"

namespace sched_exporter {

/// "0" to "255" for a process that exited, the signal's name for one that was killed, "other" for
/// kOtherCode.
inline std::string ExitCodeName(ExitCode code) {
  if (code == kOtherCode) {
    return "other";
  }
  return code < kSignalBase ? std::to_string(code) : SignalName(code - kSignalBase);
}

}  // namespace sched_exporter
