#pragma once

#include <vector>

#include "exporter/base/result.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Runs the BPF task iterator over all living tasks of this PID namespace (bpf_iter, Linux 5.8).
class TaskIterator {
 public:
  /// `link_fd` is the iterator's link, not owned.
  explicit TaskIterator(int link_fd) : link_fd_(link_fd), buffer_(kBufferBytes) {}

  /// Appends tasks whose figures the LRU hash does not hold to `living`, the others to `keys`.
  Result<void> Read(std::vector<TaskReading>& living, std::vector<TaskKey>& keys);

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{256} * 1024;

  std::size_t Parse(std::size_t bytes, std::vector<TaskReading>& living,
                    std::vector<TaskKey>& keys) const;

  int link_fd_;
  std::vector<char> buffer_;
};

}  // namespace sched_exporter
