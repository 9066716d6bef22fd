#pragma once

#include <string>
#include <vector>

#include "exporter/kernel/finding.h"

namespace sched_exporter {

/// All that `sched_exporter probe` tells.
struct ProbeReport {
  std::string kernel;   ///< Release.
  std::string machine;  ///< As uname -m says it.
  std::vector<Finding> findings;
  std::string mode;    ///< "full", "portable", or "none" where the exporter can't work.
  std::string reason;  ///< Of the mode, in one line.
};

/// A table with aligned columns, and the mode below it.
std::string ProbeTableText(const ProbeReport& report);

/// The same as one JSON object; what is unknown is null.
std::string ProbeJson(const ProbeReport& report);

}  // namespace sched_exporter
