#pragma once

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/bpf_vm_maps.h"

namespace sched_exporter::test_support {

/// An instruction of its parts (include/uapi/linux/bpf.h).
constexpr bpf_insn Insn(int code, int to, int from, int offset, std::int32_t immediate) {
  bpf_insn insn{};
  insn.code = static_cast<std::uint8_t>(code);
  insn.dst_reg = static_cast<std::uint8_t>(to) & 15U;
  insn.src_reg = static_cast<std::uint8_t>(from) & 15U;
  insn.off = static_cast<std::int16_t>(offset);
  insn.imm = immediate;
  return insn;
}

/// Runs BPF programs in user space and counts what they execute: instructions as clang made them
/// and libbpf relocated them, so that a count is the same on every machine. (The kernel leaves some
/// out, those behind constants for example.) Knows what `clang -mcpu=v3` makes, and the helpers
/// that hooks on switches call. Memory is the caller's own, at its own addresses; an access to any
/// other is an error, never a crash. One thread; CPU 0.
class BpfVm {
 public:
  /// What one run did.
  struct Run {
    std::uint64_t result = 0;        ///< r0 at the end.
    std::uint64_t instructions = 0;  ///< A load of 64 bits is one, a call of a helper, too.
    std::uint64_t helper_calls = 0;
  };

  /// `maps` has what the programs refer to; not owned.
  explicit BpfVm(BpfVmMaps& maps) : maps_(maps) {}

  /// Lets programs touch this memory, which is not owned.
  void Allow(const void* memory, std::size_t bytes) { maps_.Allow(memory, bytes); }

  /// Runs a program with `context` in r1. Fails with one line where it does what the VM doesn't
  /// know, touches what it may not, or does not end.
  Result<Run> Execute(std::span<const bpf_insn> program, const void* context);

 private:
  struct Frame {
    std::uint64_t callee_saved[4];
    std::size_t return_to = 0;
  };

  Result<void> Step();
  Result<void> Alu(const bpf_insn& insn, bool wide);
  Result<void> Jump(const bpf_insn& insn, bool wide);
  Result<void> Load(const bpf_insn& insn);
  Result<void> Store(const bpf_insn& insn);
  Result<void> Atomic(const bpf_insn& insn, std::uint64_t address);
  Result<void> LoadConstant(const bpf_insn& insn);
  Result<void> Call(const bpf_insn& insn);
  Result<void> CallHelper(std::int32_t helper);
  Result<void> CallMapHelper(std::int32_t helper);
  void Return();
  tl::unexpected<Error> Stop(const std::string& why) const;

  BpfVmMaps& maps_;
  std::span<const bpf_insn> program_;
  std::size_t at_ = 0;
  bool ended_ = false;
  std::uint64_t registers_[11] = {};
  std::vector<Frame> frames_;
  std::vector<std::uint64_t> stack_;
  Run run_;
};

}  // namespace sched_exporter::test_support
