#include "exporter/app/host_naming.h"

#include "exporter/base/text.h"
#include "exporter/identity/groups.h"

namespace sched_exporter {
namespace {

/// Names of cgroups that were removed stay until so many more than there are directories.
constexpr std::size_t kMaxRemovedNames = 4096;

}  // namespace

std::string HostNaming::GroupOf(const TaskIdentity& identity) { return GroupByComm(identity); }

void HostNaming::BeginSweep(const std::vector<Source::NewCgroup>& made) {
  scanned_in_sweep_ = false;
  if (tree_.size() > scanned_size_ + kMaxRemovedNames) {
    tree_.Scan();
    scanned_size_ = tree_.size();
  }
  for (const Source::NewCgroup& cgroup : made) {
    tree_.Add(cgroup.id, cgroup.path);
  }
}

std::string HostNaming::CgroupPath(std::uint64_t cgroup_id) {
  const std::string* path = tree_.Find(cgroup_id);
  if (path == nullptr && !scanned_in_sweep_) {
    // Made before attaching and after the last scan, or its record was lost. At most one scan for
    // each sweep: a removed cgroup can't be found by any number of them.
    scanned_in_sweep_ = true;
    tree_.Scan();
    scanned_size_ = tree_.size();
    path = tree_.Find(cgroup_id);
  }
  return path == nullptr ? "(unknown)" : PrintableText(*path);
}

}  // namespace sched_exporter
