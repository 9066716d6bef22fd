#include "tests/support/bpf_vm_maps.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sched_exporter::test_support {
namespace {

std::uint64_t AddressOf(const void* memory) { return reinterpret_cast<std::uint64_t>(memory); }

bool IsArray(std::uint32_t type) {
  return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/// The kernel puts values at multiples of eight bytes.
std::size_t Stride(std::size_t value_bytes) { return (value_bytes + 7) / 8 * 8; }

}  // namespace

void BpfVmMaps::Add(int fd, const std::string& name, std::uint32_t type, std::size_t key_bytes,
                    std::size_t value_bytes, std::size_t max_entries) {
  auto map = std::make_unique<Map>();
  map->name = name;
  map->is_array = IsArray(type);
  map->key_bytes = key_bytes;
  map->value_bytes = value_bytes;
  map->max_entries = max_entries;
  if (map->is_array) {
    map->elements.resize(Stride(value_bytes) * max_entries);
    Allow(map->elements.data(), map->elements.size());
  }
  maps_[fd] = std::move(map);
}

void BpfVmMaps::AddAllOf(const bpf_object* object) {
  bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(object, map)) != nullptr) {
    const int fd = bpf_map__fd(map);
    Add(fd, bpf_map__name(map), bpf_map__type(map), bpf_map__key_size(map),
        bpf_map__value_size(map), bpf_map__max_entries(map));
    std::size_t bytes = 0;
    if (const void* value = bpf_map__initial_value(map, &bytes); value != nullptr) {
      Bytes& elements = maps_[fd]->elements;
      std::memcpy(elements.data(), value, std::min(bytes, elements.size()));
    }
  }
}

std::optional<std::uint64_t> BpfVmMaps::Handle(int fd) const {
  const auto map = maps_.find(fd);
  return map == maps_.end() ? std::nullopt : std::optional(AddressOf(map->second.get()));
}

std::optional<std::uint64_t> BpfVmMaps::ValueAddress(int fd, std::size_t offset) {
  const auto map = maps_.find(fd);
  if (map == maps_.end() || offset >= map->second->elements.size()) {
    return std::nullopt;
  }
  return AddressOf(map->second->elements.data() + offset);
}

bool BpfVmMaps::Knows(std::uint64_t handle) const {
  return std::any_of(maps_.begin(), maps_.end(),
                     [&](const auto& map) { return AddressOf(map.second.get()) == handle; });
}

std::size_t BpfVmMaps::key_bytes(std::uint64_t handle) const { return Get(handle).key_bytes; }

std::size_t BpfVmMaps::value_bytes(std::uint64_t handle) const { return Get(handle).value_bytes; }

std::uint64_t BpfVmMaps::Lookup(std::uint64_t handle, const void* key) {
  Map& map = Get(handle);
  ++map.lookups;
  if (map.is_array) {
    std::uint32_t index = 0;
    std::memcpy(&index, key, sizeof(index));
    return index < map.max_entries
               ? AddressOf(map.elements.data() + index * Stride(map.value_bytes))
               : 0;
  }
  const auto* bytes = static_cast<const std::uint8_t*>(key);
  const auto entry = map.entries.find(Bytes(bytes, bytes + map.key_bytes));
  return entry == map.entries.end() ? 0 : AddressOf(entry->second.data());
}

std::int64_t BpfVmMaps::Update(std::uint64_t handle, const void* key, const void* value,
                               std::uint64_t flags) {
  Map& map = Get(handle);
  const auto* bytes = static_cast<const std::uint8_t*>(key);
  std::uint64_t place = Lookup(handle, key);
  --map.lookups;
  if (place == 0 && (map.is_array || map.entries.size() >= map.max_entries)) {
    return -E2BIG;
  }
  if (place != 0 && flags == BPF_NOEXIST) {
    return -EEXIST;
  }
  if (place == 0 && flags == BPF_EXIST) {
    return -ENOENT;
  }
  if (place == 0) {
    Bytes& entry = map.entries[Bytes(bytes, bytes + map.key_bytes)];
    entry.resize(Stride(map.value_bytes));
    Allow(entry.data(), map.value_bytes);
    place = AddressOf(entry.data());
  }
  std::memcpy(reinterpret_cast<void*>(place), value, map.value_bytes);
  return 0;
}

std::int64_t BpfVmMaps::Delete(std::uint64_t handle, const void* key) {
  Map& map = Get(handle);
  const auto* bytes = static_cast<const std::uint8_t*>(key);
  const auto entry = map.entries.find(Bytes(bytes, bytes + map.key_bytes));
  if (entry == map.entries.end()) {
    return map.is_array ? -EINVAL : -ENOENT;
  }
  allowed_.erase(AddressOf(entry->second.data()));
  map.entries.erase(entry);
  return 0;
}

std::uint64_t BpfVmMaps::Reserve(std::size_t bytes) {
  if (!record_.empty()) {
    allowed_.erase(AddressOf(record_.data()));
  }
  record_.assign(std::max<std::size_t>(bytes, 1), 0);
  Allow(record_.data(), record_.size());
  return AddressOf(record_.data());
}

void BpfVmMaps::Allow(const void* memory, std::size_t bytes) {
  allowed_[AddressOf(memory)] = bytes;
}

bool BpfVmMaps::Allowed(std::uint64_t address, std::size_t bytes) const {
  auto after = allowed_.upper_bound(address);
  if (after == allowed_.begin()) {
    return false;
  }
  const auto& [begin, size] = *--after;
  return bytes <= size && address - begin <= size - bytes;
}

std::uint64_t BpfVmMaps::TakeLookups(const std::string& name) {
  std::uint64_t lookups = 0;
  for (const auto& [fd, map] : maps_) {
    if (map->name == name) {
      lookups += map->lookups;
      map->lookups = 0;
    }
  }
  return lookups;
}

}  // namespace sched_exporter::test_support
