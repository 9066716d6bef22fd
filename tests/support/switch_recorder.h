#pragma once

#include <cstdint>
#include <memory>
#include <vector>

struct switch_recorder_bpf;

namespace sched_exporter::test_support {

/// A task of the cgroup has left a CPU; what the kernel had counted for it by then.
struct SwitchRecord {
  std::uint64_t task = 0;
  std::uint64_t start_ns = 0;
  std::uint64_t run_ns = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t timeslices = 0;
};

/// Records every switch of a cgroup (v2) by a tracepoint of its own, one record each, so that a
/// test knows every timeslice without the exporter's help.
class SwitchRecorder {
 public:
  /// Null where it can't be loaded.
  static std::unique_ptr<SwitchRecorder> Start(std::uint64_t cgroup_id);
  ~SwitchRecorder();
  SwitchRecorder(const SwitchRecorder&) = delete;
  SwitchRecorder& operator=(const SwitchRecorder&) = delete;

  /// What was recorded since the last call. In the order of happening on each CPU.
  std::vector<SwitchRecord> Take();

  /// Records that had no room.
  std::uint64_t lost() const;

 private:
  explicit SwitchRecorder(switch_recorder_bpf* skeleton) : skeleton_(skeleton) {}

  switch_recorder_bpf* skeleton_;
};

}  // namespace sched_exporter::test_support
