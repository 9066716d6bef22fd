#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <type_traits>

namespace sched_exporter::test_support {

template <typename T>
T ShiftRightSigned(T left, T right) {
  using Signed = std::make_signed_t<T>;
  return static_cast<T>(static_cast<Signed>(left) >> (right & (sizeof(T) * 8 - 1)));
}

/// One operation; false where there is none with this code. Division by zero is as the kernel
/// defines it.
template <typename T>
bool ComputeBpf(std::uint8_t operation, T& left, T right) {
  constexpr T kShiftMask = sizeof(T) * 8 - 1;
  switch (operation) {
    case BPF_ADD:
      left = left + right;
      return true;
    case BPF_SUB:
      left = left - right;
      return true;
    case BPF_MUL:
      left = left * right;
      return true;
    case BPF_DIV:
      left = right == 0 ? 0 : left / right;
      return true;
    case BPF_MOD:
      left = right == 0 ? left : left % right;
      return true;
    case BPF_OR:
      left = left | right;
      return true;
    case BPF_AND:
      left = left & right;
      return true;
    case BPF_XOR:
      left = left ^ right;
      return true;
    case BPF_MOV:
      left = right;
      return true;
    case BPF_NEG:
      left = T{0} - left;
      return true;
    case BPF_LSH:
      left = left << (right & kShiftMask);
      return true;
    case BPF_RSH:
      left = left >> (right & kShiftMask);
      return true;
    case BPF_ARSH:
      left = ShiftRightSigned(left, right);
      return true;
    default:
      return false;
  }
}

/// Whether a conditional jump is taken; false in `known` where there is none with this code.
template <typename T>
bool BpfHolds(std::uint8_t operation, T left, T right, bool& known) {
  using Signed = std::make_signed_t<T>;
  const auto left_signed = static_cast<Signed>(left);
  const auto right_signed = static_cast<Signed>(right);
  known = true;
  switch (operation) {
    case BPF_JEQ:
      return left == right;
    case BPF_JNE:
      return left != right;
    case BPF_JGT:
      return left > right;
    case BPF_JGE:
      return left >= right;
    case BPF_JLT:
      return left < right;
    case BPF_JLE:
      return left <= right;
    case BPF_JSET:
      return (left & right) != 0;
    case BPF_JSGT:
      return left_signed > right_signed;
    case BPF_JSGE:
      return left_signed >= right_signed;
    case BPF_JSLT:
      return left_signed < right_signed;
    case BPF_JSLE:
      return left_signed <= right_signed;
    default:
      known = false;
      return false;
  }
}

}  // namespace sched_exporter::test_support
