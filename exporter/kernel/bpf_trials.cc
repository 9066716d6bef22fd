#include "exporter/kernel/bpf_trials.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

constexpr bpf_insn kReturnZero[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                    {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};

/// What the errno of bpf() says; 0 is success.
Answer AnswerOfErrno(int error) {
  switch (error) {
    case 0:
      return {Found::kYes};
    case EPERM:
    case EACCES:
      return {Found::kUnknown, "not permitted to try"};
    case ENOSYS:
      return {Found::kUnknown, "no bpf(), by the kernel or a seccomp profile"};
    default:
      return {Found::kNo, std::strerror(error)};
  }
}

UniqueFd LoadReturnZero(bpf_prog_type type, bpf_prog_load_opts* options) {
  return UniqueFd(
      bpf_prog_load(type, "probe", "GPL", kReturnZero, std::size(kReturnZero), options));
}

Answer AnswerOf(const UniqueFd& loaded) { return AnswerOfErrno(loaded.valid() ? 0 : errno); }

}  // namespace

Answer TryTracingProgram(int attach_type, std::uint32_t btf_id) {
  if (btf_id == 0) {
    return {Found::kNo, "not in the kernel's BTF"};
  }
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
  options.attach_btf_id = btf_id;
  return AnswerOf(LoadReturnZero(BPF_PROG_TYPE_TRACING, &options));
}

Answer TryTracepointProgram() {
  return AnswerOf(LoadReturnZero(BPF_PROG_TYPE_TRACEPOINT, nullptr));
}

Answer TryRingBuffer() {
  return AnswerOf(UniqueFd(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "probe", 0, 0, 65'536, nullptr)));
}

Answer TryBatchLookup() {
  constexpr std::uint32_t kEntries = 8;
  const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "probe", sizeof(std::uint64_t),
                                    sizeof(std::uint64_t), kEntries, nullptr));
  if (!map.valid()) {
    return AnswerOfErrno(errno);
  }
  std::uint64_t keys[kEntries];
  std::uint64_t values[kEntries];
  std::uint32_t next = 0;
  std::uint32_t count = kEntries;
  // ENOENT is the end of the map.
  const bool works =
      bpf_map_lookup_batch(map.get(), nullptr, &next, keys, values, &count, nullptr) == 0 ||
      errno == ENOENT;
  return AnswerOfErrno(works ? 0 : errno);
}

Answer TryRunOnCpu() {
  const UniqueFd program = LoadReturnZero(BPF_PROG_TYPE_RAW_TRACEPOINT, nullptr);
  if (!program.valid()) {
    return AnswerOfErrno(errno);
  }
  LIBBPF_OPTS(bpf_test_run_opts, options);
  options.flags = BPF_F_TEST_RUN_ON_CPU;
  options.cpu = 0;
  const bool works = bpf_prog_test_run_opts(program.get(), &options) == 0 ||
                     errno == ENXIO;  // that CPU is offline
  return AnswerOfErrno(works ? 0 : errno);
}

/// As libbpf finds it out (probe_memcg_account() there): the helper came with the accounting.
Answer TryCgroupAccounting() {
  constexpr bpf_insn kInstructions[] = {{BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_coarse_ns},
                                        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "probe", "GPL", kInstructions,
                                       std::size(kInstructions), nullptr));
  Answer answer = AnswerOf(program);
  rlimit limit{};
  if (answer.found == Found::kNo && ::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    answer.detail = "RLIMIT_MEMLOCK is " + (limit.rlim_cur == RLIM_INFINITY
                                                ? std::string("unlimited")
                                                : std::to_string(limit.rlim_cur) + " bytes");
  }
  return answer;
}

}  // namespace sched_exporter
