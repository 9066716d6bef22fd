#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace sched_exporter {

/// A cgroup that was made while the programs were attached.
struct NewCgroup {
  std::uint64_t id = 0;
  std::string path;  ///< From the hierarchy's root; bytes.
};

/// As many have room until they are taken; the others stay without a name.
inline constexpr std::uint32_t kMostNewCgroups = 4096;

/// Reads what the programs tell of new cgroups, each once. One thread at a time.
class NewCgroups {
 public:
  /// `fd` is the hash `cgroup_paths`, not owned. With `holds` what was taken stays in there until
  /// Release().
  NewCgroups(int fd, bool holds) : fd_(fd), holds_(holds) {}

  /// Those that were made since the last call.
  std::vector<NewCgroup> Take();

  /// The names that were taken are kept elsewhere.
  void Release();

 private:
  int fd_;
  bool holds_;
  std::unordered_set<std::uint64_t> held_;
};

}  // namespace sched_exporter
