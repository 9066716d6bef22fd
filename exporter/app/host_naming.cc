#include "exporter/app/host_naming.h"

#include "exporter/base/text.h"
#include "exporter/identity/groups.h"

namespace sched_exporter {
namespace {

/// Names of cgroups that were removed stay until so many more than there are directories.
constexpr std::size_t kMaxRemovedNames = 4096;

/// A removed cgroup can't be found by any number of scans.
constexpr std::chrono::seconds kScanPause{10};

}  // namespace

GroupPtr HostNaming::GroupOf(const TaskIdentity& identity, const ProgramImagePtr& /*image*/) {
  return MakeGroup(GroupByComm(identity));
}

void HostNaming::NoteNew(const std::vector<NewCgroup>& made) {
  if (tree_.size() > scanned_size_ + kMaxRemovedNames) {
    Scan();
  }
  for (const NewCgroup& cgroup : made) {
    tree_.Add(cgroup.id, cgroup.path);
  }
}

void HostNaming::Scan() {
  tree_.Scan();
  scanned_size_ = tree_.size();
  scanned_ = std::chrono::steady_clock::now();
}

bool HostNaming::CgroupLives(const std::string& path) {
  return tree_.HasDirectory(BytesOfPrintable(path));
}

std::string HostNaming::CgroupPath(std::uint64_t cgroup_id) {
  const std::string* path = tree_.Find(cgroup_id);
  if (path == nullptr && std::chrono::steady_clock::now() - scanned_ > kScanPause) {
    // Made before attaching and after the last scan, or its record was lost.
    Scan();
    path = tree_.Find(cgroup_id);
  }
  return path == nullptr ? kUnknownName : PrintableText(*path);
}

}  // namespace sched_exporter
