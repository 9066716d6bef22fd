#pragma once

#include <bpf/bpf.h>

namespace sched_exporter {

/// Calls `body(key, value)` for each entry of a hash that nobody changes meanwhile.
template <typename Key, typename Value, typename Body>
void ForEachEntry(int fd, const Body& body) {
  Key key{};
  Key next{};
  const Key* last = nullptr;
  while (bpf_map_get_next_key(fd, last, &next) == 0) {
    key = next;
    last = &key;
    Value value{};
    if (bpf_map_lookup_elem(fd, &key, &value) == 0) {
      body(key, value);
    }
  }
}

/// Deletes all entries of a hash that nobody fills meanwhile.
template <typename Key>
void ClearMap(int fd) {
  Key key{};
  // Each step takes the first entry away, so that this ends with the map's last one.
  while (bpf_map_get_next_key(fd, nullptr, &key) == 0 && bpf_map_delete_elem(fd, &key) == 0) {
  }
}

}  // namespace sched_exporter
