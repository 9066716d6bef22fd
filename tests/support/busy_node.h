#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/cgroup.h"
#include "tests/support/exporter.h"
#include "tests/support/groups.h"
#include "tests/support/kubernetes_node.h"

namespace sched_exporter::test_support {

/// Turns on the kernel's measuring of BPF programs, and off again where it was off.
class BpfStats {
 public:
  BpfStats();
  ~BpfStats();
  BpfStats(const BpfStats&) = delete;
  BpfStats& operator=(const BpfStats&) = delete;

 private:
  std::string before_;
};

/// A host on which something of every kind happens, so that every family of an exporter has
/// figures: pods of two workloads, a systemd unit, programs that start, fail, crash and can't be
/// started, that wait for a CPU, OOM kills, a cgroup that is removed, a group without processes,
/// one that no rule names.
class BusyNode {
 public:
  /// Starts the exporter and the load. Fails where something of it can't be made here.
  static Result<std::unique_ptr<BusyNode>> Start();
  ~BusyNode();
  BusyNode(const BusyNode&) = delete;
  BusyNode& operator=(const BusyNode&) = delete;

  int port() const { return exporter_->port(); }

  /// Has the OOM killer end a process in a pod. The host must have a memory controller.
  Result<void> RunOutOfMemory() const;

  static constexpr char kNamespace[] = "shop";
  static constexpr char kWorkload[] = "checkout";
  static constexpr char kUnit[] = "sched-busy-node.service";
  static constexpr char kAbsentGroup[] = "absent-service";

 private:
  BusyNode() = default;
  void RunIn(const std::string& path);
  Result<void> RemoveOneCgroup();

  CgroupHost host_;
  BpfStats bpf_stats_;
  NodeLogs logs_;
  std::unique_ptr<Exporter> exporter_;
  // In this order: what runs in cgroups must be gone before they are removed.
  std::vector<std::unique_ptr<CgroupDirectory>> cgroups_;
  std::vector<std::unique_ptr<Running>> load_;
};

}  // namespace sched_exporter::test_support
