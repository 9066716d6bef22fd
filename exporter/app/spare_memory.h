#pragma once

#include <cstddef>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Gives memory back to the kernel when most of the tasks that needed it have gone: a host that had
/// 100,000 for a moment would leave tens of megabytes with malloc otherwise, between what is still
/// in use. For one thread at a time.
class SpareMemory {
 public:
  /// After each sweep: how many tasks there are, and the snapshot, which has been read.
  void Note(std::size_t tasks, Snapshot& snapshot);

 private:
  std::size_t most_ = 0;
  int sweeps_to_go_ = 0;
};

}  // namespace sched_exporter
