// The VM counts what hand-written programs execute, and refuses what it must not do. That it
// computes as the kernel does is in kernel/bpf_vm_truth_test.cc.
#include "tests/support/bpf_vm.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <vector>

namespace sched_exporter::test_support {
namespace {

using Program = std::vector<bpf_insn>;

bpf_insn Set(int to, std::int32_t value) {
  return Insn(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}
bpf_insn Exit() { return Insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

class BpfVmTest : public testing::Test {
 protected:
  BpfVmMaps maps_;
  BpfVm vm_{maps_};
};

TEST_F(BpfVmTest, CountsEachRoundOfALoop) {
  const Program program = {Set(0, 0),
                           Set(1, 7),
                           Insn(BPF_ALU64 | BPF_ADD | BPF_X, 0, 1, 0, 0),
                           Insn(BPF_ALU64 | BPF_SUB | BPF_K, 1, 0, 0, 1),
                           Insn(BPF_JMP | BPF_JNE | BPF_K, 1, 0, -3, 0),
                           Exit()};
  const auto run = vm_.Execute(program, nullptr);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->result, 28U);
  EXPECT_EQ(run->instructions, 2U + 3 * 7 + 1);
  EXPECT_EQ(run->helper_calls, 0U);
}

TEST_F(BpfVmTest, CallsFunctionsAndKeepsTheirCallersRegisters) {
  const Program program = {Set(6, 5),
                           Insn(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 2),
                           Insn(BPF_ALU64 | BPF_ADD | BPF_X, 0, 6, 0, 0),
                           Exit(),
                           Set(6, 100),
                           Insn(BPF_ALU64 | BPF_MOV | BPF_X, 0, 6, 0, 0),
                           Exit()};
  const auto run = vm_.Execute(program, nullptr);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->result, 105U);
  EXPECT_EQ(run->instructions, 7U);
}

TEST_F(BpfVmTest, LooksIntoMapsAndGlobalVariables) {
  maps_.Add(3, "values", BPF_MAP_TYPE_HASH, 4, 8, 2);
  maps_.Add(4, ".bss", BPF_MAP_TYPE_ARRAY, 4, 16, 1);
  const std::uint32_t key = 9;
  const std::uint64_t value = 4711;
  ASSERT_EQ(maps_.Update(*maps_.Handle(3), &key, &value, BPF_ANY), 0);
  const int wide = BPF_LD | BPF_DW | BPF_IMM;
  const Program program = {Insn(wide, 1, BPF_PSEUDO_MAP_VALUE, 0, 4),
                           Insn(0, 0, 0, 0, 8),
                           Insn(BPF_ST | BPF_MEM | BPF_DW, 1, 0, 0, 2),
                           Insn(BPF_ST | BPF_MEM | BPF_W, 10, 0, -4, 9),
                           Insn(wide, 1, BPF_PSEUDO_MAP_FD, 0, 3),
                           Insn(0, 0, 0, 0, 0),
                           Insn(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0),
                           Insn(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -4),
                           Insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
                           Insn(BPF_LDX | BPF_MEM | BPF_DW, 0, 0, 0, 0),
                           Exit()};
  const auto run = vm_.Execute(program, nullptr);
  ASSERT_TRUE(run) << run.error().message;
  EXPECT_EQ(run->result, 4711U);
  EXPECT_EQ(run->instructions, 9U);
  EXPECT_EQ(run->helper_calls, 1U);
  EXPECT_EQ(maps_.TakeLookups("values"), 1U);
  EXPECT_EQ(maps_.TakeLookups("values"), 0U);
  EXPECT_EQ(*reinterpret_cast<const std::uint64_t*>(*maps_.ValueAddress(4, 8)), 2U);
}

TEST_F(BpfVmTest, RefusesWhatItMustNotDo) {
  const Program endless = {Insn(BPF_JMP | BPF_JA, 0, 0, -1, 0)};
  const Program foreign = {Set(1, 4096), Insn(BPF_LDX | BPF_MEM | BPF_DW, 0, 1, 0, 0), Exit()};
  const Program past_stack = {Insn(BPF_ST | BPF_MEM | BPF_DW, 10, 0, 512 * 8, 0), Exit()};
  const Program helper = {Insn(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_tail_call), Exit()};
  const Program map = {Insn(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, 77),
                       Insn(0, 0, 0, 0, 0), Exit()};
  const Program runs_out = {Set(0, 0)};
  for (const Program& program : {endless, foreign, past_stack, helper, map, runs_out}) {
    EXPECT_FALSE(vm_.Execute(program, nullptr));
  }
}

TEST_F(BpfVmTest, ForgetsTheMemoryOfDeletedEntries) {
  maps_.Add(3, "values", BPF_MAP_TYPE_LRU_HASH, 4, 8, 1);
  const std::uint64_t handle = *maps_.Handle(3);
  const std::uint32_t key = 1;
  const std::uint32_t other_key = 2;
  const std::uint64_t value = 5;
  ASSERT_EQ(maps_.Update(handle, &key, &value, BPF_NOEXIST), 0);
  EXPECT_EQ(maps_.Update(handle, &key, &value, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(maps_.Update(handle, &other_key, &value, BPF_ANY), -E2BIG);
  const std::uint64_t place = maps_.Lookup(handle, &key);
  EXPECT_TRUE(maps_.Allowed(place, 8));
  EXPECT_FALSE(maps_.Allowed(place, 9));
  EXPECT_EQ(maps_.Delete(handle, &key), 0);
  EXPECT_FALSE(maps_.Allowed(place, 1));
  EXPECT_EQ(maps_.Lookup(handle, &key), 0U);
}

}  // namespace
}  // namespace sched_exporter::test_support
