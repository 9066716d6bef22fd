#include "tests/support/bpf_objects.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace sched_exporter::test_support {
namespace {

using Ids = std::set<std::uint32_t>;

template <typename NextId>
Ids ListIds(NextId next_id) {
  Ids ids;
  std::uint32_t id = 0;
  while (next_id(id, &id) == 0) {
    ids.insert(id);
  }
  return ids;
}

/// proc(5), /proc/PID/fdinfo: "prog_id:\t7" for programs and links, "map_id:", "link_id:".
void ReadFdInfo(const std::filesystem::path& path, BpfObjects& objects) {
  std::ifstream file(path);
  std::string name;
  while (file >> name) {
    Ids* ids = name == "prog_id:"   ? &objects.programs
               : name == "map_id:"  ? &objects.maps
               : name == "link_id:" ? &objects.links
                                    : nullptr;
    std::uint32_t id = 0;
    if (ids != nullptr && file >> id) {
      ids->insert(id);
    }
  }
}

void ReadProcess(const std::filesystem::path& directory, BpfObjects& objects) {
  std::error_code error;
  // Processes and descriptors may go while we look; then there is nothing to read.
  for (std::filesystem::directory_iterator at(directory / "fdinfo", error), end;
       !error && at != end; at.increment(error)) {
    ReadFdInfo(at->path(), objects);
  }
}

Ids IdsWithout(const Ids& left, const Ids& right) {
  Ids ids;
  std::set_difference(left.begin(), left.end(), right.begin(), right.end(),
                      std::inserter(ids, ids.end()));
  return ids;
}

}  // namespace

BpfObjects AllBpfObjects() {
  return {ListIds(bpf_prog_get_next_id), ListIds(bpf_map_get_next_id),
          ListIds(bpf_link_get_next_id)};
}

BpfObjects HeldBpfObjects(pid_t pid) {
  BpfObjects objects;
  if (pid != 0) {
    ReadProcess("/proc/" + std::to_string(pid), objects);
    return objects;
  }
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      ReadProcess(at->path(), objects);
    }
  }
  return objects;
}

BpfObjects Without(const BpfObjects& left, const BpfObjects& right) {
  return {IdsWithout(left.programs, right.programs), IdsWithout(left.maps, right.maps),
          IdsWithout(left.links, right.links)};
}

BpfObjects Common(const BpfObjects& left, const BpfObjects& right) {
  return Without(left, Without(left, right));
}

}  // namespace sched_exporter::test_support
