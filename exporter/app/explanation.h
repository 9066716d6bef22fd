#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "exporter/app/host_naming.h"
#include "exporter/app/pod_watcher.h"
#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/identity/cgroups.h"
#include "exporter/identity/host_paths.h"
#include "exporter/identity/process_stat.h"

namespace sched_exporter {

/// Why a living process is in its group, and what series it is in, by /proc and the config. All
/// that decides is the running exporter's own code (HostNaming, Ledger, labels).
class Explanation {
 public:
  /// Reads names of pods where the config has sources of them: about a second at the most.
  Explanation(const Config& config, const HostPaths& paths, const CgroupMount& mount);

  /// Printable lines. Fails with one line where there is no such process.
  Result<std::string> Of(std::uint32_t pid);

 private:
  /// The process and its ancestors, the youngest first.
  Result<std::vector<TaskIdentity>> ReadChain(std::uint32_t pid);
  std::uint64_t CgroupIdOf(std::uint32_t pid);
  void Note(const std::string& line) { notes_.push_back(line); }
  void NoteUnreadable(const TaskIdentity& process);
  void NoteAncestors(const std::vector<TaskIdentity>& chain);

  std::string ProcessText(const TaskIdentity& process) const;
  std::string CgroupText(const TaskIdentity& process);
  std::string PodText(const std::map<std::string, std::string>& labels) const;
  std::string GroupText(const std::vector<TaskIdentity>& chain, const Group& group);
  std::string ReasonOfGroup(const std::vector<TaskIdentity>& chain, const Group& group);
  std::string FilterText(const TaskIdentity& process, const Group& group);
  std::string SeriesText(const TaskIdentity& process);
  std::string NotesText() const;

  Config config_;
  HostPaths paths_;
  CgroupMount mount_;
  PodWatcher pods_;
  HostNaming naming_;
  std::vector<std::string> cgroup_paths_;  ///< An id here is the place in it, and a constant.
  std::vector<std::string> notes_;         ///< What could not be read or is worth knowing.
};

}  // namespace sched_exporter
