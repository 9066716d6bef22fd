#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct bpf_object;

namespace sched_exporter::test_support {

/// The maps that programs in a BpfVm see, and the memory that they may touch. The kernel's maps of
/// the same object are not touched.
class BpfVmMaps {
 public:
  /// Makes an empty map of `type` (BPF_MAP_TYPE_...: arrays, hashes and ring buffers, of CPU 0
  /// alone where a map has a value for each) that programs refer to by `fd`.
  void Add(int fd, const std::string& name, std::uint32_t type, std::size_t key_bytes,
           std::size_t value_bytes, std::size_t max_entries);

  /// Makes all maps of a loaded object: empty, but for global variables, which are as they are now.
  void AddAllOf(const bpf_object* object);

  /// What ld_imm64 gives a program for a map; none where no map has this descriptor.
  std::optional<std::uint64_t> Handle(int fd) const;
  /// The same for `offset` bytes into the first value of an array.
  std::optional<std::uint64_t> ValueAddress(int fd, std::size_t offset);

  /// What the helpers do; `handle` is any number, keys and values have been checked with
  /// Allowed(). 0 is what the kernel calls NULL, or success.
  bool Knows(std::uint64_t handle) const;
  std::size_t key_bytes(std::uint64_t handle) const;
  std::size_t value_bytes(std::uint64_t handle) const;
  std::uint64_t Lookup(std::uint64_t handle, const void* key);
  std::int64_t Update(std::uint64_t handle, const void* key, const void* value,
                      std::uint64_t flags);
  std::int64_t Delete(std::uint64_t handle, const void* key);
  /// A record of a ring buffer until the next one is reserved.
  std::uint64_t Reserve(std::size_t bytes);

  /// Lets programs touch this memory, which is not owned.
  void Allow(const void* memory, std::size_t bytes);
  /// Whether all of it may be touched.
  bool Allowed(std::uint64_t address, std::size_t bytes) const;

  /// How many times a map was looked into since the last call, by its name.
  std::uint64_t TakeLookups(const std::string& name);

 private:
  using Bytes = std::vector<std::uint8_t>;
  struct Map {
    std::string name;
    bool is_array = false;
    std::size_t key_bytes = 0;
    std::size_t value_bytes = 0;
    std::size_t max_entries = 0;
    std::uint64_t lookups = 0;
    Bytes elements;                  ///< Of an array, one after another.
    std::map<Bytes, Bytes> entries;  ///< Of a hash.
  };

  Map& Get(std::uint64_t handle) const { return *reinterpret_cast<Map*>(handle); }

  std::map<int, std::unique_ptr<Map>> maps_;
  std::map<std::uint64_t, std::size_t> allowed_;  ///< Bytes by address.
  Bytes record_;
};

}  // namespace sched_exporter::test_support
