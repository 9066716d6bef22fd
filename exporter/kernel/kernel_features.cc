#include "exporter/kernel/kernel_features.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sys/utsname.h>

#include <cstdio>
#include <iterator>

#include "exporter/base/unique_fd.h"
#include "exporter/kernel/kernel_btf.h"

namespace sched_exporter {
namespace {

#if defined(__x86_64__)
constexpr char kNative[] = "__x64_sys_";
constexpr char kCompat[] = "__ia32_compat_sys_";
#else
constexpr char kNative[] = "__arm64_sys_";
constexpr char kCompat[] = "__arm64_compat_sys_";
#endif

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

TraceableEnd FindEnd(const KernelBtf& kernel, const std::string& name) {
  const std::uint32_t id = kernel.FunctionId(name);
  if (id == 0 || !CanTraceEnd(id, false)) {
    return {};
  }
  return {name, CanTraceEnd(id, true)};
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

Result<KernelFeatures> ProbeKernel() { return KernelBtf::OfRunningKernel().map(&FeaturesOf); }

KernelFeatures FeaturesOf(const KernelBtf& kernel) {
  KernelFeatures features;
  // The first argument of each is the programs' own.
  const btf_type* exit = kernel.Tracepoint("sched_process_exit");
  features.exit_tells_group_dead = exit != nullptr && btf_vlen(exit) > 2;
  features.victim_is_task = SecondArgumentIsPointer(kernel.get(), kernel.Tracepoint("mark_victim"));
  features.has_task_pt_regs =
      libbpf_probe_bpf_helper(BPF_PROG_TYPE_TRACEPOINT, BPF_FUNC_task_pt_regs, nullptr) == 1;
  features.tracepoints_preempted = KernelVersion() >= 6019;
  features.execve = FindEnd(kernel, std::string(kNative) + "execve");
  features.execveat = FindEnd(kernel, std::string(kNative) + "execveat");
  features.execve_32 = FindEnd(kernel, std::string(kCompat) + "execve");
  features.execveat_32 = FindEnd(kernel, std::string(kCompat) + "execveat");
  return features;
}

bool HasRingBuffers() { return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1; }

}  // namespace sched_exporter
