#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "exporter/app/pod_watcher.h"
#include "exporter/identity/cgroups.h"
#include "exporter/kernel/new_cgroups.h"

namespace sched_exporter {

/// Who is in a cgroup. Bytes, not printable; empty where nobody knows.
struct CgroupLabels {
  std::string unit;
  std::string pod_namespace;
  std::string pod;
  std::string container;  ///< In a pod its name, elsewhere the start of its id.

  bool operator==(const CgroupLabels&) const = default;
};

/// Paths of cgroups by their id, and what paths tell of who is in there.
class CgroupNames {
 public:
  /// `pods` is not owned, outlives this, and may be null: then nothing names pods.
  CgroupNames(const std::string& mount_point, PodWatcher* pods) : tree_(mount_point), pods_(pods) {}

  /// Cgroups that were made since the last call.
  void NoteNew(const std::vector<NewCgroup>& made);

  /// Who tells of those made since NoteNew(): a cgroup may be made, entered and left while events
  /// are read.
  void AskForNew(std::function<std::vector<NewCgroup>()> ask) { ask_for_new_ = std::move(ask); }

  /// The path from the root of the hierarchy, or null where it isn't known (yet).
  const std::string* PathOf(std::uint64_t id);

  /// Whether there is such a cgroup now.
  bool HasDirectory(const std::string& path) const { return tree_.HasDirectory(path); }

  CgroupLabels LabelsOf(const std::string& path);

  /// Changes when LabelsOf() may have other answers.
  std::uint64_t generation() const { return pods_ == nullptr ? 0 : pods_->generation(); }

  /// The paths that are known (base/archive.h).
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(tree_, scanned_size_);
  }

 private:
  void Scan();
  void Miss(const std::string& id);

  CgroupTree tree_;
  std::function<std::vector<NewCgroup>()> ask_for_new_;
  PodWatcher* pods_;
  std::unordered_set<std::string> missed_;
  std::size_t scanned_size_ = 0;
  std::chrono::steady_clock::time_point scanned_{};
};

/// As labels of series; only those that are known.
std::map<std::string, std::string> PrintableLabels(const CgroupLabels& labels);

}  // namespace sched_exporter
