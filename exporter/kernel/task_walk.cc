#include "exporter/kernel/task_walk.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <unordered_set>

#include "exporter/kernel/convert.h"

namespace sched_exporter {
namespace {

/// get_next_key starts over where its key was deleted. The walk ends after so many steps for each
/// entry that the map can hold.
constexpr std::uint64_t kStepsPerEntry = 4;

}  // namespace

void TaskWalk::Take(const abi_task& entry, std::vector<TaskReading>& readings,
                    TaskWalkStats& stats) {
  if (entry.check != abi_check(entry.identity.start_ns, &entry.figures)) {
    ++stats.torn;
    return;
  }
  ++stats.entries;
  readings.push_back({entry.key, FromAbi(entry.identity), FromAbi(entry.figures)});
}

Result<TaskWalkStats> TaskWalk::Batch(std::vector<TaskReading>& readings) {
  TaskWalkStats stats;
  stats.batch = true;
  std::uint32_t position = 0;  // the number of a bucket: __htab_map_lookup_and_delete_batch()
  bool first = true;
  // A call reads at least one bucket, or fails because the bucket is larger than the buffer.
  for (std::uint64_t calls = 0; calls < kStepsPerEntry * max_entries_ + 64; ++calls) {
    keys_.resize(batch_size_);
    values_.resize(batch_size_);
    std::uint32_t count = batch_size_;
    const int error = bpf_map_lookup_batch(fd_, first ? nullptr : &position, &position,
                                           keys_.data(), values_.data(), &count, nullptr);
    if (error == -ENOSPC && batch_size_ < max_entries_ * 2) {
      batch_size_ *= 2;
      continue;
    }
    if (error != 0 && error != -ENOENT) {
      return Fail(WithErrno("cannot read the BPF map tasks in batches", -error));
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      Take(values_[i], readings, stats);
    }
    if (error == -ENOENT) {
      return stats;
    }
    first = false;
  }
  stats.complete = false;
  return stats;
}

Result<TaskWalkStats> TaskWalk::NextKey(std::vector<TaskReading>& readings) {
  TaskWalkStats stats;
  std::unordered_set<abi_task_key> seen;
  abi_task_key key = 0;
  bool first = true;
  for (std::uint64_t steps = 0; steps < kStepsPerEntry * max_entries_ + 64; ++steps) {
    abi_task_key next = 0;
    if (const int error = bpf_map_get_next_key(fd_, first ? nullptr : &key, &next); error != 0) {
      if (error != -ENOENT) {
        return Fail(WithErrno("cannot walk the BPF map tasks", -error));
      }
      return stats;
    }
    first = false;
    key = next;
    abi_task entry;
    if (!seen.insert(key).second || bpf_map_lookup_elem(fd_, &key, &entry) != 0) {
      continue;
    }
    Take(entry, readings, stats);
  }
  stats.complete = false;
  return stats;
}

}  // namespace sched_exporter
