#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>

namespace sched_exporter::test_support {

/// BPF objects of the running kernel by their ids, which are not given out again.
struct BpfObjects {
  std::set<std::uint32_t> programs;
  std::set<std::uint32_t> maps;
  std::set<std::uint32_t> links;

  bool empty() const { return programs.empty() && maps.empty() && links.empty(); }
};

/// All that the kernel has at the moment.
BpfObjects AllBpfObjects();

/// What the descriptors of a process hold; `pid` 0 means every process that /proc shows.
BpfObjects HeldBpfObjects(pid_t pid = 0);

/// Those of `left` that are not in `right`.
BpfObjects Without(const BpfObjects& left, const BpfObjects& right);

/// Those that are in both.
BpfObjects Common(const BpfObjects& left, const BpfObjects& right);

}  // namespace sched_exporter::test_support
