#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/bpf_vm_maps.h"

struct btf;

namespace sched_exporter::test_support {

/// Where fields of the running kernel's structs are, by its BTF.
class KernelStructs {
 public:
  /// Fails where the kernel has no BTF.
  static Result<std::unique_ptr<KernelStructs>> Read();
  ~KernelStructs();
  KernelStructs(const KernelStructs&) = delete;
  KernelStructs& operator=(const KernelStructs&) = delete;

  /// Bytes; 0 where there is no such struct.
  std::size_t SizeOf(const std::string& name) const;

  /// Of a field like "se.sum_exec_runtime", in bytes; -1 where there is none.
  std::ptrdiff_t OffsetOf(const std::string& name, const std::string& path) const;

 private:
  explicit KernelStructs(btf* types) : types_(types) {}

  btf* types_;
};

/// A struct of the kernel that exists in our memory only: zeros, but for what is set.
class MadeUpStruct {
 public:
  MadeUpStruct(const KernelStructs& structs, std::string name, BpfVmMaps& maps);

  std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(memory_.data()); }

  /// Sets 4 or 8 bytes of a field, or its first; a field that this kernel lacks is left out.
  void Set32(const std::string& path, std::uint32_t value) { Set(path, &value, sizeof(value)); }
  void Set64(const std::string& path, std::uint64_t value) { Set(path, &value, sizeof(value)); }
  void SetText(const std::string& path, const std::string& text) {
    Set(path, text.data(), text.size());
  }

 private:
  void Set(const std::string& path, const void* value, std::size_t bytes);

  const KernelStructs& structs_;
  std::string name_;
  std::vector<std::uint64_t> memory_;
};

/// A task with all that hooks read of it: a process of its own, in a cgroup of its own.
class MadeUpTask {
 public:
  /// `pid` 0 is the idle task.
  MadeUpTask(const KernelStructs& structs, BpfVmMaps& maps, std::uint32_t pid);

  std::uint64_t address() const { return task_.address(); }

  /// It was on a CPU for `run_ns` and waited for it before as long, and goes to sleep.
  void Run(std::uint64_t run_ns);

 private:
  MadeUpStruct task_;
  MadeUpStruct css_set_;
  MadeUpStruct cgroup_;
  MadeUpStruct kernfs_node_;
  MadeUpStruct cred_;
  MadeUpStruct signal_;
  std::uint64_t run_ns_ = 0;
  std::uint64_t slices_ = 0;
};

}  // namespace sched_exporter::test_support
