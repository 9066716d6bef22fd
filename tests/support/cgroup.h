#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace sched_exporter::test_support {

/// A cgroup hierarchy of this host, as the config names it.
struct CgroupHost {
  std::string hierarchy;  ///< "v2", "cpu" or "cpuacct".
  std::string mount_point;
};

/// For GoogleTest, which would print bytes.
inline void PrintTo(const CgroupHost& host, std::ostream* out) { *out << host.hierarchy; }

/// The hierarchies that can be tested here: v2 if mounted, and cpuacct if mounted as v1.
std::vector<CgroupHost> TestableHierarchies();

/// That of v2; without a mount point where it is not mounted.
CgroupHost UnifiedHost();

/// A child that is born in a cgroup of v2 and ends with its body: all that the kernel counts for
/// it, to the end of its exit, is the cgroup's. The child is not waited for.
pid_t ForkInto(const std::string& directory, const std::function<void()>& body);

/// Those that have `controller` ("memory"): v2, where it is then switched on for cgroups below the
/// root, and v1's own, which is called as the controller.
std::vector<CgroupHost> HierarchiesWith(const std::string& controller);

/// A cgroup at any path from the root of its hierarchy. Makes it with all that is missing above it,
/// and at the end removes what it made; tasks must be gone by then.
class CgroupDirectory {
 public:
  CgroupDirectory(const CgroupHost& host, const std::string& path);
  ~CgroupDirectory();
  CgroupDirectory(const CgroupDirectory&) = delete;
  CgroupDirectory& operator=(const CgroupDirectory&) = delete;

  /// As the exporter labels it.
  const std::string& label() const { return label_; }
  const std::string& directory() const { return directory_; }

  /// Moves a process, with all of its threads; 0 is the caller.
  bool Add(pid_t pid) const;

  /// The kernel's own figure in nanoseconds, of what is below it, too: usage_usec of cpu.stat (v2),
  /// cpuacct.usage (v1).
  std::uint64_t UsageNs() const;

  /// Removes this one alone, and waits a moment for its last tasks; false where it is still there.
  bool Remove() const;

  /// Makes it again after Remove(): a new cgroup with the same path.
  bool MakeAgain() const;

 private:
  std::string hierarchy_;
  std::string label_;
  std::string directory_;
  std::vector<std::string> above_;  ///< Directories, the outermost first.
};

/// A fresh cgroup, removed at the end. Its tasks must be gone by then.
class TestCgroup {
 public:
  TestCgroup(const CgroupHost& host, const std::string& name);
  ~TestCgroup();
  TestCgroup(const TestCgroup&) = delete;
  TestCgroup& operator=(const TestCgroup&) = delete;

  /// As the exporter labels it.
  const std::string& label() const { return label_; }
  const std::string& directory() const { return directory_; }

  /// Moves a process, with all of its threads; 0 is the caller.
  bool Add(pid_t pid) const;

  /// The kernel's own figure in nanoseconds: usage_usec of cpu.stat (v2), cpuacct.usage (v1).
  std::uint64_t UsageNs() const;

 private:
  CgroupHost host_;
  std::string label_;
  std::string directory_;
};

}  // namespace sched_exporter::test_support
