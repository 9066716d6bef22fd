#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "exporter/model/group.h"
#include "exporter/model/process_key.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// The name of a cgroup whose path nobody knows (yet).
inline constexpr char kUnknownName[] = "(unknown)";

/// What the exporter has series of.
enum class ViewKind { kProcess, kGroup, kCgroup };

/// Names for what the kernel numbers. The names are printable; two ids may have one name.
class Naming {
 public:
  virtual ~Naming() = default;

  /// The group of a process, never null. `image` is what it runs; null where no event told that.
  /// Where only comm and cgroup are known of a task, `identity` has no tgid.
  virtual GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) = 0;

  /// The path of a cgroup from the root of its hierarchy, or kUnknownName, which is asked for
  /// again.
  virtual std::string CgroupPath(std::uint64_t cgroup_id) = 0;

  /// What is known of who is in a cgroup, by its path: unit, namespace, pod, container.
  virtual std::map<std::string, std::string> CgroupLabels(const std::string& /*path*/) {
    return {};
  }

  /// Whether there is a cgroup with that path now.
  virtual bool CgroupLives(const std::string& /*path*/) { return false; }

  /// Whether a member of a view (a comm, a group, a path) may have series of its own.
  virtual bool HasSeries(ViewKind /*view*/, const std::string& /*name*/) { return true; }

  /// A process is gone; nobody will ask for it again.
  virtual void Forget(const ProcessKey& /*process*/) {}
};

}  // namespace sched_exporter
