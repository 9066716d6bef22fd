#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "exporter/identity/cgroups.h"
#include "exporter/identity/process_book.h"
#include "exporter/kernel/source.h"
#include "exporter/model/naming.h"

namespace sched_exporter {

/// Names groups and cgroups of this host.
class HostNaming : public Naming {
 public:
  /// `book` is not owned and outlives this.
  HostNaming(const std::string& cgroup_mount, const ProcessBook& book)
      : tree_(cgroup_mount), book_(book) {}

  std::string GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override;
  std::string CgroupPath(std::uint64_t cgroup_id) override;

  /// Cgroups that were made since the last sweep. Call it before each sweep is taken in.
  void BeginSweep(const std::vector<Source::NewCgroup>& made);

 private:
  void Scan();

  CgroupTree tree_;
  const ProcessBook& book_;
  std::size_t scanned_size_ = 0;
  std::chrono::steady_clock::time_point scanned_{};
};

}  // namespace sched_exporter
