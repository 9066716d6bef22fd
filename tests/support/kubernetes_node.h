#pragma once

#include <string>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/temp_directory.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {

/// Who makes the cgroups of pods: the kubelet's flag --cgroup-driver.
enum class CgroupDriver { kCgroupfs, kSystemd };

struct Pod {
  std::string pod_namespace;
  std::string name;
  std::string uid;
  std::string qos;  ///< "guaranteed", "burstable" or "besteffort".
};

/// A pod with a UID, and a name, that no other has. The UID of a static one is a hash without
/// dashes.
Pod MakePod(const std::string& pod_namespace, const std::string& prefix, const std::string& qos,
            bool is_static = false);

/// An id as containerd makes it.
std::string MakeContainerId();

/// Where kubelet and containerd have a container: GetPodContainerName() in
/// pkg/kubelet/cm/pod_container_manager_linux.go, and the prefix cri-containerd.
std::string ContainerPath(CgroupDriver driver, const Pod& pod, const std::string& id);

/// A node's /var/log, with what a kubelet makes there and when.
class NodeLogs {
 public:
  const std::string& path() const { return directory_.path(); }

  /// Before anything of the pod is started.
  void AddPod(const Pod& pod) const;

  /// After the container's start.
  void AddContainer(const Pod& pod, const std::string& name, const std::string& id) const;

  /// At the pod's end.
  void RemovePod(const Pod& pod) const;

 private:
  TempDirectory directory_;
};

/// A container's first process. It works when it is told to.
class ContainerProcess {
 public:
  explicit ContainerProcess(const CgroupDirectory& cgroup);
  ~ContainerProcess() { End(); }
  ContainerProcess(const ContainerProcess&) = delete;
  ContainerProcess& operator=(const ContainerProcess&) = delete;

  pid_t pid() const { return pid_; }

  /// Uses CPU time in threads, children and many short programs; returns when all of it is done.
  void Work();

  /// Ends and reaps it; false where something of it failed. Once.
  bool End();

 private:
  bool Run() const;

  Gate asked_;
  Gate done_;
  int rounds_ = 0;
  pid_t pid_ = -1;
  bool is_in_cgroup_ = false;
};

}  // namespace sched_exporter::test_support
