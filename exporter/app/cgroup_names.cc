#include "exporter/app/cgroup_names.h"

#include "exporter/base/text.h"
#include "exporter/identity/cgroup_identity.h"

namespace sched_exporter {
namespace {

/// Names of cgroups that were removed stay until so many more than there are directories.
constexpr std::size_t kMaxRemovedNames = 4096;

/// A removed cgroup can't be found by any number of scans.
constexpr std::chrono::seconds kScanPause{10};

/// What docker ps and podman ps show of an id.
constexpr std::size_t kShortId = 12;

/// Sandboxes have no name ever: the watcher is asked once for each.
constexpr std::size_t kMostMissed = 4096;

/// The innermost unit that the system's manager made. What is below user@UID.service has the names
/// that the user gave it.
std::string TrustedUnit(const std::string& path, const CgroupIdentity& identity) {
  const std::string own_manager = "user@" + identity.owner_uid + ".service";
  const bool is_below =
      !identity.owner_uid.empty() && path.find("/" + own_manager + "/") != std::string::npos;
  return is_below ? own_manager : identity.unit;
}

}  // namespace

void CgroupNames::NoteNew(const std::vector<NewCgroup>& made) {
  if (tree_.size() > scanned_size_ + kMaxRemovedNames) {
    Scan();
  }
  for (const NewCgroup& cgroup : made) {
    tree_.Add(cgroup.id, cgroup.path);
  }
}

void CgroupNames::Scan() {
  tree_.Scan();
  scanned_size_ = tree_.size();
  scanned_ = std::chrono::steady_clock::now();
}

const std::string* CgroupNames::PathOf(std::uint64_t id) {
  const std::string* path = tree_.Find(id);
  if (path == nullptr && ask_for_new_) {
    NoteNew(ask_for_new_());
    path = tree_.Find(id);
  }
  if (path == nullptr && std::chrono::steady_clock::now() - scanned_ > kScanPause) {
    // Made before attaching and after the last scan, or its record was lost.
    Scan();
    path = tree_.Find(id);
  }
  return path;
}

CgroupLabels CgroupNames::LabelsOf(const std::string& path) {
  const CgroupIdentity identity = IdentityOfCgroup(path);
  CgroupLabels labels;
  labels.unit = TrustedUnit(path, identity);
  if (identity.pod_uid.empty()) {
    labels.container = identity.container_id.substr(0, kShortId);
    return labels;
  }
  // A user may give a directory of his own the name of somebody's pod.
  if (pods_ == nullptr || !identity.owner_uid.empty()) {
    return labels;
  }
  const std::shared_ptr<const PodNames> names = pods_->names();
  const ContainerName* container = names->FindContainer(identity.container_id);
  const PodName* pod = container != nullptr ? &container->pod : names->FindPod(identity.pod_uid);
  if (pod == nullptr || (container == nullptr && !identity.container_id.empty())) {
    Miss(identity.pod_uid + identity.container_id);
  }
  if (pod != nullptr) {
    labels.pod_namespace = pod->pod_namespace;
    labels.pod = pod->pod;
  }
  if (container != nullptr) {
    labels.container = container->container;
  }
  return labels;
}

void CgroupNames::Miss(const std::string& id) {
  if (missed_.size() >= kMostMissed) {
    missed_.clear();
  }
  if (missed_.insert(id).second) {
    pods_->Miss();
  }
}

std::map<std::string, std::string> PrintableLabels(const CgroupLabels& labels) {
  std::map<std::string, std::string> printable;
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>{"unit", labels.unit},
                                    {"namespace", labels.pod_namespace},
                                    {"pod", labels.pod},
                                    {"container", labels.container}}) {
    if (!value.empty()) {
      printable.emplace(name, PrintableText(value));
    }
  }
  return printable;
}

}  // namespace sched_exporter
