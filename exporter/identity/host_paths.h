#pragma once

#include <string>

namespace sched_exporter {

/// Where the host's files are: elsewhere than usual for an exporter in a container that has them
/// mounted.
struct HostPaths {
  std::string procfs = "/proc";
  std::string cgroupfs;  ///< Where the cgroup hierarchies are mounted, or below; empty: anywhere.
  std::string rootfs;    ///< Before every other path of the host; without a slash at the end.
};

}  // namespace sched_exporter
