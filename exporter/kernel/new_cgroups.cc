#include "exporter/kernel/new_cgroups.h"

#include <bpf/bpf.h>

#include <cstring>

namespace sched_exporter {

std::vector<NewCgroup> TakeNewCgroups(const Programs& programs) {
  std::vector<NewCgroup> all;
  const int fd = programs.cgroup_paths_fd();
  std::uint64_t id = 0;
  while (bpf_map_get_next_key(fd, nullptr, &id) == 0) {
    abi_cgroup_path value{};
    if (bpf_map_lookup_elem(fd, &id, &value) != 0 || bpf_map_delete_elem(fd, &id) != 0) {
      break;
    }
    // A path that fills the room may be cut, and a part of a path may name another cgroup: whoever
    // needs it finds it in the tree.
    value.path[ABI_CGROUP_PATH_LEN - 1] = '\0';
    if (std::strlen(value.path) + 1 < ABI_CGROUP_PATH_LEN) {
      all.push_back({id, value.path});
    }
  }
  return all;
}

}  // namespace sched_exporter
