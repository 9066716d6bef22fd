#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// A cgroup that was made while the programs were attached.
struct NewCgroup {
  std::uint64_t id = 0;
  std::string path;  ///< From the hierarchy's root; bytes.
};

/// Those that were made since the last call.
std::vector<NewCgroup> TakeNewCgroups(const Programs& programs);

}  // namespace sched_exporter
