#include "exporter/app/spare_memory.h"

#include <malloc.h>

#include <algorithm>

namespace sched_exporter {
namespace {

/// Fewer are not worth a system call.
constexpr std::size_t kMany = 5'000;
constexpr std::size_t kFallenTo = 4;
/// What ended is forgotten by and by.
constexpr int kSweeps = 5;

template <typename T>
void Empty(std::vector<T>& readings) {
  std::vector<T>().swap(readings);
}

}  // namespace

void SpareMemory::Note(std::size_t tasks, Snapshot& snapshot) {
  most_ = std::max(most_, tasks);
  if (most_ >= kMany && tasks <= most_ / kFallenTo) {
    most_ = tasks;
    sweeps_to_go_ = kSweeps;
  }
  if (sweeps_to_go_ == 0) {
    return;
  }
  --sweeps_to_go_;
  Empty(snapshot.events);
  Empty(snapshot.switched);
  Empty(snapshot.living);
  Empty(snapshot.living_keys);
  malloc_trim(0);
}

}  // namespace sched_exporter
