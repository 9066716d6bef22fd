#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exporter/base/result.h"

namespace sched_exporter {

struct PodName {
  std::string pod_namespace;
  std::string pod;
  bool operator==(const PodName&) const = default;
};

struct ContainerName {
  std::string container;
  PodName pod;
  bool operator==(const ContainerName&) const = default;
};

/// Names of Kubernetes pods and containers by what paths of cgroups hold. What doesn't have the
/// syntax of Kubernetes is ignored: ids as below, names as RFC 1123 has them (labels; for pods
/// subdomains). So every name is printable and free of '_' and '/'.
class PodNames {
 public:
  /// A kubelet runs 110 pods unless it is told otherwise (KubeletConfiguration.maxPods); what dead
  /// ones leave behind is counted in, too.
  static constexpr std::size_t kMostPods = 4'096;
  static constexpr std::size_t kMostContainers = 16'384;

  using Pods = std::unordered_map<std::string, PodName>;
  using Containers = std::unordered_map<std::string, ContainerName>;

  /// `uid`: 8-4-4-4-12 lower case hexadecimal digits; for static pods 32 without dashes. The last
  /// name of an id is the one that counts.
  void AddPod(std::string_view uid, const PodName& name);

  /// `id`: 64 lower case hexadecimal digits.
  void AddContainer(std::string_view id, const ContainerName& name);

  /// Adds all of `other`, whose names win.
  void Merge(const PodNames& other);

  /// The name, or nullptr.
  const PodName* FindPod(const std::string& uid) const;
  const ContainerName* FindContainer(const std::string& id) const;

  /// Whether something had no room.
  bool overflowed() const { return overflowed_; }
  void SetOverflowed() { overflowed_ = true; }

  const Pods& pods() const { return pods_; }
  const Containers& containers() const { return containers_; }
  bool operator==(const PodNames&) const = default;

 private:
  Pods pods_;
  Containers containers_;
  bool overflowed_ = false;
};

/// Whether `name` is a name as PodNames takes it, of a container (RFC 1123 label) or a pod with its
/// namespace.
bool IsContainerName(std::string_view name);
bool IsPodName(const PodName& name);
/// Whether `id` is an id as PodNames takes it.
bool IsPodUid(std::string_view uid);
bool IsContainerId(std::string_view id);

/// Adds what the names of files in a node's /var/log tell (`directory`). Nothing in there is opened
/// or followed. A kubelet makes
/// - the directory pods/NAMESPACE_POD_UID before it starts anything of the pod, even its sandbox
///   (createPodSandbox in pkg/kubelet/kuberuntime/kuberuntime_sandbox.go). The pod's cgroup may be
///   a moment older;
/// - the link containers/POD_NAMESPACE_CONTAINER-ID.log after the container's start, and only where
///   its log is a file (startContainer in kuberuntime_container.go): a container that was just
///   started has none yet. Sandboxes ("pause") have none ever.
/// The link's name is cut to 255 bytes (logSymlink in legacy.go), so a container that has a pod, a
/// namespace and a name of more than 184 bytes together has no name here.
/// Fails where neither directory can be read.
Result<void> ReadLogDirectories(const std::string& directory, PodNames& names);

/// Longer lists are refused.
inline constexpr std::size_t kMostPodListBytes = 64U << 20U;

/// Adds what a list of pods tells: the JSON (v1.PodList) that a kubelet gives for GET /pods; of the
/// API server and "kubectl get pods -o json", too. Missing fields and null are fine, wrong types
/// are not. A static pod has the UID of its API object and in addition the one that its cgroup and
/// log directory have, which is in its annotation kubernetes.io/config.hash. Whoever makes a pod
/// may write such an annotation, so it never renames a pod of the list with that UID of its own.
/// Needs memory for the names and twice the longest string in it. Where it fails, `names` is as
/// before.
Result<void> ReadPodList(std::string_view json, PodNames& names);

}  // namespace sched_exporter
