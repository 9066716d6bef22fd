#include "tests/support/bpf_vm.h"

#include <linux/bpf.h>

#include <cstring>

#include "tests/support/bpf_arithmetic.h"

namespace sched_exporter::test_support {
namespace {

constexpr std::size_t kStackBytes = 512;
constexpr std::size_t kFrames = 8;
constexpr std::uint64_t kMaxInstructions = 1'000'000;
constexpr std::uint64_t kNow_ns = 1'000'000'000'000;

std::size_t SizeOf(const bpf_insn& insn) {
  switch (BPF_SIZE(insn.code)) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
}

std::uint64_t ReadMemory(std::uint64_t address, std::size_t bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, reinterpret_cast<const void*>(address), bytes);
  return value;
}

void WriteMemory(std::uint64_t address, std::uint64_t value, std::size_t bytes) {
  std::memcpy(reinterpret_cast<void*>(address), &value, bytes);
}

/// BPF_END on a little-endian machine.
std::uint64_t Swap(const bpf_insn& insn, std::uint64_t value) {
  const bool to_big = BPF_SRC(insn.code) == BPF_TO_BE;
  switch (insn.imm) {
    case 16:
      return to_big ? __builtin_bswap16(static_cast<std::uint16_t>(value)) : value & 0xffff;
    case 32:
      return to_big ? __builtin_bswap32(static_cast<std::uint32_t>(value)) : value & 0xffffffff;
    default:
      return to_big ? __builtin_bswap64(value) : value;
  }
}

}  // namespace

tl::unexpected<Error> BpfVm::Stop(const std::string& why) const {
  return Fail("BPF instruction " + std::to_string(at_) + ": " + why);
}

Result<BpfVm::Run> BpfVm::Execute(std::span<const bpf_insn> program, const void* context) {
  program_ = program;
  at_ = 0;
  ended_ = false;
  frames_.clear();
  run_ = {};
  stack_.assign(kStackBytes / sizeof(std::uint64_t) * kFrames, 0);
  Allow(stack_.data(), kStackBytes * kFrames);
  registers_[1] = reinterpret_cast<std::uint64_t>(context);
  registers_[10] = reinterpret_cast<std::uint64_t>(stack_.data()) + kStackBytes;
  while (!ended_) {
    if (at_ >= program_.size() || run_.instructions == kMaxInstructions) {
      return Stop("the program does not end");
    }
    ++run_.instructions;
    if (auto done = Step(); !done) {
      return tl::unexpected(done.error());
    }
  }
  run_.result = registers_[0];
  return run_;
}

Result<void> BpfVm::Step() {
  const bpf_insn& insn = program_[at_++];
  switch (BPF_CLASS(insn.code)) {
    case BPF_ALU64:
      return Alu(insn, true);
    case BPF_ALU:
      return Alu(insn, false);
    case BPF_JMP:
      return Jump(insn, true);
    case BPF_JMP32:
      return Jump(insn, false);
    case BPF_LD:
      return LoadConstant(insn);
    case BPF_LDX:
      return Load(insn);
    default:
      return Store(insn);
  }
}

Result<void> BpfVm::Alu(const bpf_insn& insn, bool wide) {
  std::uint64_t& to = registers_[insn.dst_reg];
  if (insn.off != 0) {
    return Stop("an operation of a later instruction set");
  }
  if (BPF_OP(insn.code) == BPF_END) {
    to = Swap(insn, to);
    return {};
  }
  const std::uint64_t operand = BPF_SRC(insn.code) == BPF_X
                                    ? registers_[insn.src_reg]
                                    : static_cast<std::uint64_t>(std::int64_t{insn.imm});
  bool known = false;
  if (wide) {
    known = ComputeBpf(BPF_OP(insn.code), to, operand);
  } else {
    auto half = static_cast<std::uint32_t>(to);
    known = ComputeBpf(BPF_OP(insn.code), half, static_cast<std::uint32_t>(operand));
    to = half;
  }
  return known ? Result<void>{} : Stop("an unknown operation");
}

Result<void> BpfVm::Jump(const bpf_insn& insn, bool wide) {
  const std::uint8_t operation = BPF_OP(insn.code);
  if (wide && operation == BPF_EXIT) {
    Return();
    return {};
  }
  if (wide && operation == BPF_CALL) {
    return Call(insn);
  }
  const std::uint64_t left = registers_[insn.dst_reg];
  const std::uint64_t right = BPF_SRC(insn.code) == BPF_X
                                  ? registers_[insn.src_reg]
                                  : static_cast<std::uint64_t>(std::int64_t{insn.imm});
  bool known = wide && operation == BPF_JA;
  const bool taken = known || (wide ? BpfHolds(operation, left, right, known)
                                    : BpfHolds(operation, static_cast<std::uint32_t>(left),
                                               static_cast<std::uint32_t>(right), known));
  if (!known) {
    return Stop("an unknown jump");
  }
  if (taken) {
    at_ = static_cast<std::size_t>(static_cast<std::int64_t>(at_) + insn.off);
  }
  return {};
}

Result<void> BpfVm::Load(const bpf_insn& insn) {
  const std::uint64_t address =
      registers_[insn.src_reg] + static_cast<std::uint64_t>(std::int64_t{insn.off});
  if (BPF_MODE(insn.code) != BPF_MEM) {
    return Stop("a load of an unknown kind");
  }
  if (!maps_.Allowed(address, SizeOf(insn))) {
    return Stop("a load from memory that is not the program's");
  }
  registers_[insn.dst_reg] = ReadMemory(address, SizeOf(insn));
  return {};
}

Result<void> BpfVm::Store(const bpf_insn& insn) {
  const std::uint64_t address =
      registers_[insn.dst_reg] + static_cast<std::uint64_t>(std::int64_t{insn.off});
  if (!maps_.Allowed(address, SizeOf(insn))) {
    return Stop("a store to memory that is not the program's");
  }
  if (BPF_MODE(insn.code) == BPF_ATOMIC) {
    return Atomic(insn, address);
  }
  if (BPF_MODE(insn.code) != BPF_MEM) {
    return Stop("a store of an unknown kind");
  }
  const bool from_register = BPF_CLASS(insn.code) == BPF_STX;
  WriteMemory(
      address,
      from_register ? registers_[insn.src_reg] : static_cast<std::uint64_t>(std::int64_t{insn.imm}),
      SizeOf(insn));
  return {};
}

Result<void> BpfVm::Atomic(const bpf_insn& insn, std::uint64_t address) {
  const std::size_t bytes = SizeOf(insn);
  const std::uint64_t former = ReadMemory(address, bytes);
  std::uint64_t& operand = registers_[insn.src_reg];
  std::uint64_t value = former;
  if (insn.imm == BPF_CMPXCHG) {
    const std::uint64_t expected = bytes == 4 ? registers_[0] & 0xffffffff : registers_[0];
    WriteMemory(address, former == expected ? operand : former, bytes);
    registers_[0] = former;
    return {};
  }
  const bool exchange = insn.imm == BPF_XCHG;
  const auto operation = exchange ? BPF_MOV : insn.imm & ~BPF_FETCH;
  if (!ComputeBpf(static_cast<std::uint8_t>(operation), value, operand)) {
    return Stop("an unknown atomic operation");
  }
  WriteMemory(address, value, bytes);
  if ((insn.imm & BPF_FETCH) != 0) {
    operand = former;
  }
  return {};
}

Result<void> BpfVm::LoadConstant(const bpf_insn& insn) {
  if (insn.code != (BPF_LD | BPF_DW | BPF_IMM) || at_ >= program_.size()) {
    return Stop("a load of an unknown kind");
  }
  const auto low = static_cast<std::uint32_t>(insn.imm);
  const auto high = static_cast<std::uint32_t>(program_[at_].imm);
  std::optional<std::uint64_t> value;
  if (insn.src_reg == 0) {
    value = std::uint64_t{high} << 32 | low;
  } else if (insn.src_reg == BPF_PSEUDO_MAP_FD) {
    value = maps_.Handle(insn.imm);
  } else if (insn.src_reg == BPF_PSEUDO_MAP_VALUE) {
    value = maps_.ValueAddress(insn.imm, high);
  }
  if (!value) {
    return Stop("a constant that the VM does not know");
  }
  registers_[insn.dst_reg] = *value;
  ++at_;
  return {};
}

Result<void> BpfVm::Call(const bpf_insn& insn) {
  if (insn.src_reg == 0) {
    ++run_.helper_calls;
    return CallHelper(insn.imm);
  }
  if (insn.src_reg != BPF_PSEUDO_CALL || frames_.size() + 1 == kFrames) {
    return Stop("a call of an unknown kind, or too deep");
  }
  Frame frame{{registers_[6], registers_[7], registers_[8], registers_[9]}, at_};
  frames_.push_back(frame);
  registers_[10] += kStackBytes;
  at_ = static_cast<std::size_t>(static_cast<std::int64_t>(at_) + insn.imm);
  return {};
}

void BpfVm::Return() {
  if (frames_.empty()) {
    ended_ = true;
    return;
  }
  std::memcpy(&registers_[6], frames_.back().callee_saved, sizeof(frames_.back().callee_saved));
  registers_[10] -= kStackBytes;
  at_ = frames_.back().return_to;
  frames_.pop_back();
}

Result<void> BpfVm::CallHelper(std::int32_t helper) {
  const std::uint64_t* const arguments = registers_ + 1;
  switch (helper) {
    case BPF_FUNC_map_lookup_elem:
    case BPF_FUNC_map_update_elem:
    case BPF_FUNC_map_delete_elem:
      return CallMapHelper(helper);
    case BPF_FUNC_get_smp_processor_id:
      registers_[0] = 0;
      return {};
    case BPF_FUNC_ktime_get_ns:
    case BPF_FUNC_ktime_get_boot_ns:
      registers_[0] = kNow_ns + run_.helper_calls;
      return {};
    case BPF_FUNC_ringbuf_reserve:
      registers_[0] = maps_.Reserve(arguments[1]);
      return {};
    case BPF_FUNC_ringbuf_submit:
    case BPF_FUNC_ringbuf_discard:
    case BPF_FUNC_ringbuf_output:
    case BPF_FUNC_ringbuf_query:
    case BPF_FUNC_perf_event_output:
      registers_[0] = 0;
      return {};
    case BPF_FUNC_probe_read_kernel:
      if (!maps_.Allowed(arguments[0], arguments[1]) ||
          !maps_.Allowed(arguments[2], arguments[1])) {
        return Stop("a copy from or to memory that is not the program's");
      }
      std::memcpy(reinterpret_cast<void*>(arguments[0]),
                  reinterpret_cast<const void*>(arguments[2]), arguments[1]);
      registers_[0] = 0;
      return {};
    default:
      return Stop("calls helper " + std::to_string(helper) + ", which the VM doesn't know");
  }
}

Result<void> BpfVm::CallMapHelper(std::int32_t helper) {
  const std::uint64_t map = registers_[1];
  const auto* const key = reinterpret_cast<const void*>(registers_[2]);
  if (!maps_.Knows(map) || !maps_.Allowed(registers_[2], maps_.key_bytes(map))) {
    return Stop("a helper gets no map or no key");
  }
  if (helper == BPF_FUNC_map_lookup_elem) {
    registers_[0] = maps_.Lookup(map, key);
    return {};
  }
  if (helper == BPF_FUNC_map_delete_elem) {
    registers_[0] = static_cast<std::uint64_t>(maps_.Delete(map, key));
    return {};
  }
  if (!maps_.Allowed(registers_[3], maps_.value_bytes(map))) {
    return Stop("bpf_map_update_elem() gets no value");
  }
  const auto* const value = reinterpret_cast<const void*>(registers_[3]);
  registers_[0] = static_cast<std::uint64_t>(maps_.Update(map, key, value, registers_[4]));
  return {};
}

}  // namespace sched_exporter::test_support
