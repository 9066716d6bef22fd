#pragma once

#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "exporter/base/result.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// What one walk over the LRU hash of tasks met besides the entries.
struct TaskWalkStats {
  std::uint64_t entries = 0;  ///< Read, each task once.
  std::uint64_t torn = 0;     ///< Left out: caught while they were being written.
  bool complete = true;       ///< False where the walk hit its bound.
  bool batch = false;         ///< Which of the two methods it was.
};

/// Reads the LRU hash of tasks, which the kernel changes meanwhile. Keeps its buffers between
/// walks. Entries that are there during the whole walk are found; those that come or go may be.
class TaskWalk {
 public:
  /// `fd` is the map's, not owned; `max_entries` its size.
  TaskWalk(int fd, std::uint32_t max_entries) : fd_(fd), max_entries_(max_entries) {}

  /// BPF_MAP_LOOKUP_BATCH: a few system calls for everything. Fails with ENOTSUP's text where the
  /// kernel has it not for this kind of map (before 5.6).
  Result<TaskWalkStats> Batch(std::vector<TaskReading>& readings);

  /// BPF_MAP_GET_NEXT_KEY and a look-up for each entry: works on every kernel, seven times slower.
  Result<TaskWalkStats> NextKey(std::vector<TaskReading>& readings);

 private:
  void Take(const abi_task& entry, std::vector<TaskReading>& readings, TaskWalkStats& stats);

  int fd_;
  std::uint32_t max_entries_;
  std::uint32_t batch_size_ = 1024;
  std::vector<abi_task_key> keys_;
  std::vector<abi_task> values_;
};

}  // namespace sched_exporter
