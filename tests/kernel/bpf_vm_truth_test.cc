// The VM that counts instructions computes as the kernel does: random programs of every arithmetic
// operation, jump, load, store and atomic operation, run by BPF_PROG_TEST_RUN and by the VM.
#include <bpf/bpf.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "tests/support/bpf_vm.h"

namespace sched_exporter::test_support {
namespace {

constexpr int kScalars = 10;  // r0 to r9
constexpr int kSlots = 8;     // of eight bytes on the stack

int LoadFilter(const std::vector<bpf_insn>& insns) {
  return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "random", "GPL", insns.data(), insns.size(),
                       nullptr);
}

/// Before 5.12 a kernel has the atomic addition that gives nothing back, and no other atomic
/// operation.
bool KernelHasAllAtomics() {
  const int fd = LoadFilter({Insn(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
                             Insn(BPF_STX | BPF_MEM | BPF_DW, 10, 0, -8, 0),
                             Insn(BPF_STX | BPF_ATOMIC | BPF_DW, 10, 0, -8, BPF_XCHG),
                             Insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)});
  close(fd);
  return fd >= 0;
}

class RandomProgram {
 public:
  RandomProgram(unsigned seed, bool all_atomics) : random_(seed), all_atomics_(all_atomics) {
    for (int i = 0; i < kScalars; ++i) {
      Add(BPF_LD | BPF_DW | BPF_IMM, i, 0, 0, Immediate());
      Add(0, 0, 0, 0, Immediate());
    }
    for (int i = 1; i <= kSlots; ++i) {
      Add(BPF_STX | BPF_MEM | BPF_DW, 10, Register(), -8 * i, 0);
    }
    for (int i = 0; i < 200; ++i) {
      AddAny();
    }
    EndWithAHash();
  }

  const std::vector<bpf_insn>& insns() const { return insns_; }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  int Register() { return Below(kScalars); }
  template <std::size_t kSize>
  int OneOf(const int (&values)[kSize]) {
    return values[Below(kSize)];
  }
  std::int32_t Immediate() {
    const int kind = Below(3);
    return kind == 0 ? Below(64) : kind == 1 ? -Below(64) : static_cast<std::int32_t>(random_());
  }

  void Add(int code, int to, int from, int offset, std::int32_t immediate) {
    insns_.push_back(Insn(code, to, from, offset, immediate));
  }

  void AddAny() {
    const int kind = Below(10);
    if (kind < 5) {
      AddAlu();
    } else if (kind == 5) {
      Add(BPF_ALU | BPF_END | OneOf({BPF_TO_LE, BPF_TO_BE}), Register(), 0, 0, OneOf({16, 32, 64}));
    } else if (kind == 6) {
      AddJump();
    } else if (kind == 7) {
      AddAtomic();
    } else {
      AddMemory();
    }
  }

  void AddAlu() {
    const int operation = OneOf({BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH,
                                 BPF_RSH, BPF_NEG, BPF_MOD, BPF_XOR, BPF_MOV, BPF_ARSH});
    const int width = OneOf({BPF_ALU, BPF_ALU64});
    const bool is_shift = operation == BPF_LSH || operation == BPF_RSH || operation == BPF_ARSH;
    if (operation == BPF_NEG) {
      Add(width | BPF_NEG, Register(), 0, 0, 0);
    } else if (is_shift || Below(2) == 0) {
      // The kernel refuses shifts by the width or more, and divisions by a constant zero.
      Add(width | operation | BPF_K, Register(), 0, 0,
          is_shift ? Below(width == BPF_ALU ? 32 : 64) : Immediate() | 1);
    } else {
      Add(width | operation | BPF_X, Register(), Register(), 0, 0);
    }
  }

  /// Over the next instruction.
  void AddJump() {
    const int operation = OneOf({BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET, BPF_JNE, BPF_JSGT, BPF_JSGE,
                                 BPF_JLT, BPF_JLE, BPF_JSLT, BPF_JSLE});
    const int width = OneOf({BPF_JMP, BPF_JMP32});
    if (Below(2) == 0) {
      Add(width | operation | BPF_K, Register(), 0, 1, Immediate());
    } else {
      Add(width | operation | BPF_X, Register(), Register(), 1, 0);
    }
    AddAlu();
  }

  void AddMemory() {
    const int size = OneOf({BPF_B, BPF_H, BPF_W, BPF_DW});
    const int slot = -8 * (1 + Below(kSlots));
    switch (Below(3)) {
      case 0:
        Add(BPF_LDX | BPF_MEM | size, Register(), 10, slot, 0);
        break;
      case 1:
        Add(BPF_STX | BPF_MEM | size, 10, Register(), slot, 0);
        break;
      default:
        Add(BPF_ST | BPF_MEM | size, 10, 0, slot, Immediate());
    }
  }

  void AddAtomic() {
    const int operation =
        OneOf({BPF_ADD, BPF_AND, BPF_OR, BPF_XOR, BPF_ADD | BPF_FETCH, BPF_AND | BPF_FETCH,
               BPF_OR | BPF_FETCH, BPF_XOR | BPF_FETCH, BPF_XCHG, BPF_CMPXCHG});
    Add(BPF_STX | BPF_ATOMIC | OneOf({BPF_W, BPF_DW}), 10, Register(), -8 * (1 + Below(kSlots)),
        all_atomics_ ? operation : BPF_ADD);
  }

  /// What the kernel hands back has 32 bits: all registers and the stack end up in them.
  void EndWithAHash() {
    for (int i = 1; i < kScalars; ++i) {
      Add(BPF_ALU64 | BPF_MUL | BPF_K, 0, 0, 0, 0x01000193);
      Add(BPF_ALU64 | BPF_XOR | BPF_X, 0, i, 0, 0);
    }
    for (int i = 1; i <= kSlots; ++i) {
      Add(BPF_LDX | BPF_MEM | BPF_DW, 1, 10, -8 * i, 0);
      Add(BPF_ALU64 | BPF_MUL | BPF_K, 0, 0, 0, 0x01000193);
      Add(BPF_ALU64 | BPF_XOR | BPF_X, 0, 1, 0, 0);
    }
    Add(BPF_ALU64 | BPF_MOV | BPF_X, 1, 0, 0, 0);
    Add(BPF_ALU64 | BPF_RSH | BPF_K, 1, 0, 0, 32);
    Add(BPF_ALU64 | BPF_XOR | BPF_X, 0, 1, 0, 0);
    Add(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }

  std::mt19937 random_;
  bool all_atomics_;
  std::vector<bpf_insn> insns_;
};

TEST(BpfVm, ComputesAsTheKernelDoes) {
  BpfVmMaps maps;
  BpfVm vm(maps);
  char packet[64] = {};
  const bool all_atomics = KernelHasAllAtomics();
  if (!all_atomics) {
    std::puts("without the atomic operations that this kernel doesn't have");
  }
  for (unsigned seed = 0; seed < 300; ++seed) {
    const RandomProgram program(seed, all_atomics);
    const auto& insns = program.insns();
    const int fd = LoadFilter(insns);
    ASSERT_GE(fd, 0) << seed << ": " << std::strerror(errno);
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.data_in = packet;
    options.data_size_in = sizeof(packet);
    ASSERT_EQ(bpf_prog_test_run_opts(fd, &options), 0) << seed << ": " << std::strerror(errno);
    close(fd);
    const auto run = vm.Execute(insns, packet);
    ASSERT_TRUE(run) << seed << ": " << run.error().message;
    EXPECT_EQ(static_cast<std::uint32_t>(run->result), options.retval) << seed;
  }
}

}  // namespace
}  // namespace sched_exporter::test_support
