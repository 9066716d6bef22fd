#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exporter/base/result.h"

struct btf;
struct btf_type;

namespace sched_exporter {

/// The types of a kernel: what its structs look like, and which functions and tracepoints it has.
class KernelBtf {
 public:
  /// Those of the running kernel, from /sys/kernel/btf/vmlinux or where else libbpf looks. Fails
  /// with one line where it has none.
  static Result<KernelBtf> OfRunningKernel();

  /// Those in a file: BTF as it is, or an ELF file with a section .BTF. Fails with one line where
  /// it is neither.
  static Result<KernelBtf> OfFile(const std::string& path);

  /// The function type of a tracepoint, as `typedef void (*btf_trace_NAME)(void *, …)` tells it
  /// (include/trace/bpf_probe.h); null where there is no such tracepoint.
  const btf_type* Tracepoint(const std::string& name) const;

  /// What programs name to be attached there; 0 where there is none.
  std::uint32_t TracepointId(const std::string& name) const;
  std::uint32_t FunctionId(const std::string& name) const;

  /// Offset in bytes of a field, as in ("task_struct", "se.sum_exec_runtime"), also where it is in
  /// an unnamed struct; none where there is no such field.
  std::optional<std::uint32_t> OffsetOf(const std::string& structure,
                                        const std::string& field) const;

  /// How many types there are.
  std::uint32_t TypeCount() const;

  const btf* get() const { return btf_.get(); }

 private:
  explicit KernelBtf(btf* types);

  std::unique_ptr<btf, void (*)(btf*)> btf_;
};

/// Whether the running kernel tells its types; reads them only where the usual place has none.
bool HasKernelBtf();

/// The usual place of a kernel's own types.
inline constexpr char kBtfPath[] = "/sys/kernel/btf/vmlinux";

}  // namespace sched_exporter
