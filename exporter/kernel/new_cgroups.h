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

/// As many have room until they are taken; the others stay without a name.
inline constexpr std::uint32_t kMostNewCgroups = 4096;

/// Those that were made since the last call.
std::vector<NewCgroup> TakeNewCgroups(const Programs& programs);

}  // namespace sched_exporter
