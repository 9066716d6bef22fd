#include "exporter/kernel/new_cgroups.h"

#include <bpf/bpf.h>

#include <cstring>

#include "bpf/abi.h"

namespace sched_exporter {

std::vector<NewCgroup> NewCgroups::Take() {
  std::vector<std::uint64_t> ids;
  std::uint64_t id = 0;
  const std::uint64_t* last = nullptr;
  // A program may add entries meanwhile; a walk that begins anew is bounded by their number.
  for (std::uint32_t step = 0; step < 2 * kMostNewCgroups; ++step) {
    std::uint64_t next = 0;
    if (bpf_map_get_next_key(fd_, last, &next) != 0) {
      break;
    }
    id = next;
    last = &id;
    if (held_.insert(id).second) {
      ids.push_back(id);
    }
  }
  std::vector<NewCgroup> all;
  for (const std::uint64_t made : ids) {
    abi_cgroup_path value{};
    if (bpf_map_lookup_elem(fd_, &made, &value) != 0) {
      continue;
    }
    // A path that fills the room may be cut, and a part of a path may name another cgroup: whoever
    // needs it finds it in the tree.
    value.path[ABI_CGROUP_PATH_LEN - 1] = '\0';
    if (std::strlen(value.path) + 1 < ABI_CGROUP_PATH_LEN) {
      all.push_back({made, value.path});
    }
  }
  if (!holds_) {
    Release();
  }
  return all;
}

void NewCgroups::Release() {
  for (const std::uint64_t id : held_) {
    bpf_map_delete_elem(fd_, &id);
  }
  held_.clear();
}

}  // namespace sched_exporter
