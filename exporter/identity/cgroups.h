#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Which hierarchy a path is of.
enum class Hierarchy { kV2, kCpu, kCpuacct };

/// Where a cgroup hierarchy is mounted.
struct CgroupMount {
  Hierarchy hierarchy = Hierarchy::kV2;
  std::string mount_point;
};

/// What the user wants; kAuto takes v2 where it has the cgroup root for itself, else cpuacct, else
/// cpu, else v2.
enum class HierarchyChoice { kAuto, kV2, kCpu, kCpuacct };

/// Finds the mount in `mountinfo` (the text of /proc/self/mountinfo; proc(5)), at `below` or below
/// it where that isn't empty. Fails with one line where the wanted hierarchy isn't mounted.
Result<CgroupMount> ChooseCgroupMount(const std::string& mountinfo, HierarchyChoice choice,
                                      const std::string& below = {});

/// The number of a hierarchy in `self_cgroup` (the text of /proc/self/cgroup; cgroups(7)).
Result<std::uint32_t> HierarchyId(const std::string& self_cgroup, Hierarchy hierarchy);

/// Paths of cgroups by id. An id is the inode number of the directory (kernfs_node.id).
class CgroupTree {
 public:
  explicit CgroupTree(std::string mount_point) : mount_point_(std::move(mount_point)) {}

  /// Reads the whole tree anew; bounded to a million directories. Cgroups that are gone keep their
  /// names until the next Scan(), since what they did may be told later.
  void Scan();

  /// A cgroup that was made; `path` is as the kernel tells it, from the hierarchy's root.
  void Add(std::uint64_t id, const std::string& path) { paths_[id] = path; }

  /// The path, or nullptr.
  const std::string* Find(std::uint64_t id) const;

  /// Whether there is a cgroup with that path now.
  bool HasDirectory(const std::string& path) const;

  std::size_t size() const { return paths_.size(); }

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(paths_, former_);
  }

 private:
  std::string mount_point_;
  std::unordered_map<std::uint64_t, std::string> paths_;
  std::unordered_map<std::uint64_t, std::string> former_;  ///< As of the scan before.
};

}  // namespace sched_exporter
