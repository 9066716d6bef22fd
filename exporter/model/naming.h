#pragma once

#include <cstdint>
#include <string>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// The name of a cgroup whose path nobody knows (yet).
inline constexpr char kUnknownName[] = "(unknown)";

/// Names for what the kernel numbers. The names are printable; two ids may have one name.
class Naming {
 public:
  virtual ~Naming() = default;

  /// The group of a process. `image` is what it runs; null where no event told that.
  virtual std::string GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) = 0;

  /// The path of a cgroup from the root of its hierarchy, or kUnknownName, which is asked for
  /// again.
  virtual std::string CgroupPath(std::uint64_t cgroup_id) = 0;
};

}  // namespace sched_exporter
