#include "exporter/kernel/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <cstdio>
#include <iterator>
#include <memory>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

#if defined(__x86_64__)
constexpr char kNative[] = "__x64_sys_";
constexpr char kCompat[] = "__ia32_compat_sys_";
#else
constexpr char kNative[] = "__arm64_sys_";
constexpr char kCompat[] = "__arm64_compat_sys_";
#endif

/// The function type of a tracepoint, as `typedef void (*btf_trace_NAME)(void *, …)` tells it
/// (include/trace/bpf_probe.h); null where there is no such tracepoint.
const btf_type* TracepointType(const btf* btf, const std::string& name) {
  const auto id = btf__find_by_name_kind(btf, ("btf_trace_" + name).c_str(), BTF_KIND_TYPEDEF);
  if (id < 0) {
    return nullptr;
  }
  const btf_type* pointer = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
  return pointer == nullptr ? nullptr : btf__type_by_id(btf, pointer->type);
}

/// Tries it with an empty program: a kernel may have the function in its BTF but no trampolines
/// (arm64 before 6.0), or may forbid them.
bool CanTraceEnd(std::uint32_t function, bool read_registers) {
  constexpr bpf_insn kInstructions[] = {{BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0},
                                        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
                                        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const std::size_t skipped = read_registers ? 0 : 1;
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.expected_attach_type = BPF_TRACE_FEXIT;
  options.attach_btf_id = function;
  const UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL",
                                       kInstructions + skipped, std::size(kInstructions) - skipped,
                                       &options));
  return program.valid() && UniqueFd(bpf_raw_tracepoint_open(nullptr, program.get())).valid();
}

TraceableEnd FindEnd(const btf* btf, const std::string& name) {
  const auto id = btf__find_by_name_kind(btf, name.c_str(), BTF_KIND_FUNC);
  if (id <= 0 || !CanTraceEnd(static_cast<std::uint32_t>(id), false)) {
    return {};
  }
  return {name, CanTraceEnd(static_cast<std::uint32_t>(id), true)};
}

/// The kernel's version, 0 where it can't be told. Features are found by themselves where they can.
int KernelVersion() {
  utsname names{};
  int major = 0;
  int minor = 0;
  if (uname(&names) != 0 || std::sscanf(names.release, "%d.%d", &major, &minor) != 2) {
    return 0;
  }
  return major * 1000 + minor;
}

bool SecondArgumentIsPointer(const btf* btf, const btf_type* function) {
  if (function == nullptr || btf_vlen(function) < 2) {
    return false;
  }
  return btf_is_ptr(btf__type_by_id(btf, btf_params(function)[1].type));
}

}  // namespace

Result<KernelFeatures> ProbeKernel() {
  const std::unique_ptr<btf, decltype(&btf__free)> kernel(btf__load_vmlinux_btf(), &btf__free);
  if (kernel == nullptr) {
    return Fail(
        "cannot load BPF programs: the kernel has no BTF (/sys/kernel/btf/vmlinux); needs a kernel "
        "built with CONFIG_DEBUG_INFO_BTF=y, see README, Requirements");
  }
  KernelFeatures features;
  // The first argument of each is the programs' own.
  const btf_type* exit = TracepointType(kernel.get(), "sched_process_exit");
  features.exit_tells_group_dead = exit != nullptr && btf_vlen(exit) > 2;
  features.victim_is_task =
      SecondArgumentIsPointer(kernel.get(), TracepointType(kernel.get(), "mark_victim"));
  features.has_task_pt_regs =
      libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_task_pt_regs, nullptr) == 1;
  features.tracepoints_preempted = KernelVersion() >= 6019;
  features.execve = FindEnd(kernel.get(), std::string(kNative) + "execve");
  features.execveat = FindEnd(kernel.get(), std::string(kNative) + "execveat");
  features.execve_32 = FindEnd(kernel.get(), std::string(kCompat) + "execve");
  features.execveat_32 = FindEnd(kernel.get(), std::string(kCompat) + "execveat");
  return features;
}

bool HasRingBuffers() { return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1; }

}  // namespace sched_exporter
