#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "exporter/identity/cgroups.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/model/naming.h"

namespace sched_exporter {

/// Names groups and cgroups of this host.
class HostNaming : public Naming {
 public:
  explicit HostNaming(const std::string& cgroup_mount) : tree_(cgroup_mount) {}

  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override;
  std::string CgroupPath(std::uint64_t cgroup_id) override;
  bool CgroupLives(const std::string& path) override;

  /// Cgroups that were made since the last call. Call it before events and sweeps are taken in.
  void NoteNew(const std::vector<NewCgroup>& made);

 private:
  void Scan();

  CgroupTree tree_;
  std::size_t scanned_size_ = 0;
  std::chrono::steady_clock::time_point scanned_{};
};

}  // namespace sched_exporter
