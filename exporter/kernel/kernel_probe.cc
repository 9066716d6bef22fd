#include "exporter/kernel/kernel_probe.h"

#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "exporter/kernel/bpf_trials.h"
#include "exporter/kernel/capabilities.h"
#include "exporter/kernel/kernel_btf.h"
#include "exporter/kernel/kernel_features.h"
#include "exporter/kernel/portable_tracepoints.h"
#include "exporter/kernel/tracepoint.h"

namespace sched_exporter {
namespace {

Answer YesOrNo(bool found) { return {found ? Found::kYes : Found::kNo}; }

constexpr char kNotPermitted[] = "not permitted to try";
constexpr char kNoBtf[] = "no BTF tells";

/// Collects findings one by one.
class ProbeTable {
 public:
  /// `used_for` is the consequence where it is found, `instead` where it is not.
  void Add(std::string feature, Answer answer, const char* used_for, const char* instead) {
    std::string consequence = answer.found == Found::kYes  ? used_for
                              : answer.found == Found::kNo ? instead
                                                           : std::string("if missing: ") + instead;
    findings_.push_back({std::move(feature), std::move(answer), std::move(consequence)});
  }

  /// The same of something without which there is no full mode.
  void AddNeeded(std::string feature, Answer answer, const char* used_for, const char* instead) {
    full_mode_ = full_mode_ && answer.found == Found::kYes;
    Add(std::move(feature), std::move(answer), used_for, instead);
  }

  /// The same of portable mode.
  void AddForPortable(std::string feature, Answer answer, const char* used_for,
                      const char* instead) {
    portable_mode_ = portable_mode_ && answer.found == Found::kYes;
    Add(std::move(feature), std::move(answer), used_for, instead);
  }

  KernelProbe Take(bool has_btf) {
    return {std::move(findings_), has_btf, full_mode_, portable_mode_};
  }

 private:
  std::vector<Finding> findings_;
  bool full_mode_ = true;
  bool portable_mode_ = true;
};

void AddCapabilities(ProbeTable& table) {
  struct Row {
    const char* name;
    bool found;
    const char* used_for;
    const char* instead;
  };
  const ProbedCapabilities has = ReadCapabilities();
  const Row rows[] = {
      {"CAP_BPF", has.bpf || has.sys_admin, "loads programs, reads their maps",
       "it does not start"},
      {"CAP_PERFMON", has.perfmon || has.sys_admin, "programs may read the kernel's memory",
       "it does not start"},
      {"CAP_SYS_PTRACE", has.sys_ptrace, "the label exe of other users' processes",
       "the label exe is empty for other users' processes"},
      {"CAP_NET_BIND_SERVICE", has.net_bind_service, "ports below 1024", "ports from 1024 on only"},
      {"CAP_SYS_ADMIN", has.sys_admin, "tracefs needs no mount",
       "tracefs must be mounted, if needed"},
      {"CAP_DAC_READ_SEARCH", has.dac_read_search, "tracefs may be root's alone",
       "tracefs must be readable to its user, if needed"},
  };
  for (const Row& row : rows) {
    Answer answer = YesOrNo(row.found);
    if (row.found && !has.bpf && std::string(row.name) == "CAP_BPF") {
      answer.detail = "by CAP_SYS_ADMIN";
    }
    table.Add(row.name, std::move(answer), row.used_for, row.instead);
  }
}

Answer BtfAnswer(const Result<KernelBtf>& kernel) {
  if (!kernel) {
    return {Found::kNo, std::string(kBtfPath) +
                            (::access(kBtfPath, F_OK) == 0 ? " can't be read" : " doesn't exist")};
  }
  const std::string from =
      ::access(kBtfPath, R_OK) == 0 ? kBtfPath : "of a file of libbpf's choice";
  return {Found::kYes, std::to_string(kernel->TypeCount() - 1) + " types, " + from};
}

void AddPrograms(ProbeTable& table, const KernelBtf* kernel) {
  const auto id = [&](bool function, const char* name) {
    return kernel == nullptr ? 0 : function ? kernel->FunctionId(name) : kernel->TracepointId(name);
  };
  table.AddNeeded("tp_btf programs", TryTracingProgram(BPF_TRACE_RAW_TP, id(false, "sched_switch")),
                  "the kernel's own figures at each switch", "no full mode");
  table.AddNeeded("task iterator", TryTracingProgram(BPF_TRACE_ITER, id(true, "bpf_iter_task")),
                  "figures of all living tasks at each sweep", "no full mode");
  table.AddForPortable("ring buffer", TryRingBuffer(), "one buffer for all events",
                       "perf buffers, one for each CPU; no portable mode");
  table.Add("batch look-up", TryBatchLookup(), "fast sweeps",
            "sweeps go from key to key and take longer");
  table.Add("test run on a CPU", TryRunOnCpu(), "each CPU's books begin at the start",
            "a CPU's books begin at its first switch");
  table.Add("maps accounted to cgroup", TryCgroupAccounting(), "no limit for locked memory",
            "maps count against RLIMIT_MEMLOCK, which it raises as far as it may");
}

/// The ends of execve() and execveat() are told by an attempt, which takes privileges.
Answer EndAnswer(const TraceableEnd& end, bool has_btf, bool permitted) {
  if (!has_btf) {
    return {Found::kNo, "no BTF"};
  }
  if (!end.function.empty()) {
    return {Found::kYes, end.function};
  }
  return permitted ? Answer{Found::kNo, "not traceable"} : Answer{Found::kUnknown, kNotPermitted};
}

void AddExecFailures(ProbeTable& table, const KernelFeatures& features, bool has_btf,
                     bool permitted) {
  const bool by_end = !features.execve.function.empty();
  const char* const others =
      by_end ? "such failed execs are not counted" : "failed execs by the tracepoints below";
  const std::pair<const char*, const TraceableEnd*> ends[] = {
      {"end of execve()", &features.execve},
      {"end of execveat()", &features.execveat},
      {"end of 32-bit execve()", &features.execve_32},
      {"end of 32-bit execveat()", &features.execveat_32}};
  for (const auto& [name, end] : ends) {
    table.Add(name, EndAnswer(*end, has_btf, permitted), "failed execs, at no cost for others",
              others);
  }
  Answer tells = YesOrNo(features.execve.tells_registers);
  if (!by_end) {
    tells = has_btf && !permitted ? Answer{Found::kUnknown, kNotPermitted} : Answer{Found::kNo};
  }
  table.Add("arguments at that end", std::move(tells), "events tell the file that failed to run",
            "events of failed execs have no file");
  table.Add("helper task_pt_regs",
            permitted ? YesOrNo(features.has_task_pt_regs) : Answer{Found::kUnknown, kNotPermitted},
            "the same by tracepoint", "events of failed execs by tracepoint have no file");
  const auto number = TracepointNumber("syscalls/sys_exit_execve");
  table.Add("tracepoint sys_exit_execve",
            number
                ? Answer{Found::kYes, "number " + std::to_string(*number)}
                : Answer{::geteuid() == 0 ? Found::kNo : Found::kUnknown, number.error().message},
            "failed execs where their end can't be traced",
            "failed execs are not counted where their end can't be traced");
}

Answer FieldAnswer(const KernelBtf* kernel, const char* structure, const char* field) {
  if (kernel == nullptr) {
    return {Found::kUnknown, kNoBtf};
  }
  const auto offset = kernel->OffsetOf(structure, field);
  return offset ? Answer{Found::kYes, "at " + std::to_string(*offset)} : Answer{Found::kNo};
}

void AddFields(ProbeTable& table, const KernelBtf* kernel) {
  table.Add("task_struct.se.sum_exec_runtime",
            FieldAnswer(kernel, "task_struct", "se.sum_exec_runtime"), "exact CPU time",
            "CPU time by the clock");
  table.Add("task_struct.sched_info.run_delay",
            FieldAnswer(kernel, "task_struct", "sched_info.run_delay"),
            "waits on run queues (CONFIG_SCHED_INFO)", "waits on run queues are 0");
  table.Add("task_struct.sched_info.pcount",
            FieldAnswer(kernel, "task_struct", "sched_info.pcount"),
            "timeslices (CONFIG_SCHED_INFO)", "timeslices are 0");
  table.Add("task_struct.on_cpu", FieldAnswer(kernel, "task_struct", "on_cpu"),
            "tells running tasks (CONFIG_SMP)", "the task at hand is the only one that runs");
  table.Add("task_struct.__state", FieldAnswer(kernel, "task_struct", "__state"),
            "a task's last switch (5.14)", "the field state tells it");
}

void AddTracepointArguments(ProbeTable& table, const KernelFeatures& features,
                            const KernelBtf* kernel) {
  const auto answer = [&](bool found) {
    return kernel == nullptr ? Answer{Found::kUnknown, kNoBtf} : YesOrNo(found);
  };
  table.Add("exit tells group_dead", answer(features.exit_tells_group_dead),
            "the kernel says which thread is the last (6.16)", "a mark for each process says it");
  table.Add("mark_victim tells the task", answer(features.victim_is_task),
            "OOM kills when the kernel chooses (6.9)", "OOM kills when the chosen process exits");
  table.Add("preemptible tracepoints", YesOrNo(features.tracepoints_preempted),
            "two programs for each tracepoint, so that none is left out (6.19)",
            "one program for each tracepoint is enough");
}

/// What portable mode can't do without.
void AddClassicTracepoints(ProbeTable& table) {
  table.AddForPortable("tracepoint programs", TryTracepointProgram(),
                       "portable mode, where there is no BTF", "no portable mode");
  for (const char* name : kPortableTracepoints) {
    const auto number = TracepointNumber(name);
    Answer answer{Found::kYes};
    if (number) {
      answer.detail = "number " + std::to_string(*number);
    } else {
      answer = {::geteuid() == 0 ? Found::kNo : Found::kUnknown, number.error().message};
    }
    table.AddForPortable("tracepoint " + std::string(name), std::move(answer),
                         "portable mode, where there is no BTF", "no portable mode");
  }
}

}  // namespace

KernelProbe ProbeRunningKernel() {
  libbpf_set_print(nullptr);  // the table says it all
  ProbeTable table;
  const bool permitted = HasBpfCapabilities();
  const auto kernel = KernelBtf::OfRunningKernel();
  const KernelBtf* const btf = kernel ? &*kernel : nullptr;
  const KernelFeatures features = kernel ? FeaturesOf(*kernel) : KernelFeatures{};
  table.AddNeeded("BTF", BtfAnswer(kernel), "programs find the kernel's fields by it",
                  "no full mode, portable mode in its place; --bpf.btf-path makes that exact");
  AddPrograms(table, btf);
  AddExecFailures(table, features, btf != nullptr, permitted);
  AddFields(table, btf);
  AddTracepointArguments(table, features, btf);
  AddClassicTracepoints(table);
  AddCapabilities(table);
  return table.Take(btf != nullptr);
}

}  // namespace sched_exporter
