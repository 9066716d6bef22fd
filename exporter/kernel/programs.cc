#include "exporter/kernel/programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "exporter/kernel/capabilities.h"
#include "sched.skel.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxLogBytes = std::size_t{64} * 1024;

/// What libbpf had to say while one object was loaded; libbpf's print function takes no context.
std::string& LibbpfLog() {
  static std::string log;
  return log;
}

int KeepLibbpfLog(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG || LibbpfLog().size() > kMaxLogBytes) {
    return 0;
  }
  char line[4096];
  const int length = std::vsnprintf(line, sizeof(line), format, arguments);
  LibbpfLog() += line;
  return length;
}

tl::unexpected<Error> LoadError(int error) {
  const std::string what = "cannot load BPF programs: ";
  if (error == EPERM || error == EACCES) {
    if (!HasBpfCapabilities()) {
      return Fail(what + "needs CAP_BPF and CAP_PERFMON (or root); see README, Permissions",
                  LibbpfLog());
    }
    return Fail(what +
                    "bpf() is forbidden although the capabilities are there, probably by a seccomp "
                    "profile or a security module; allow it, see README, Permissions",
                LibbpfLog());
  }
  if (error == ENOSYS) {
    return Fail(what + "the kernel or a seccomp profile has no bpf(); see README, Permissions",
                LibbpfLog());
  }
  if (error == ENOMEM || error == E2BIG) {
    return Fail(what + "not enough memory for the maps; make maps.tasks smaller", LibbpfLog());
  }
  return Fail(WithErrno(what + "the kernel (Linux 5.10 or later is needed) refused them", error) +
                  "; --log.level=debug shows its reasons",
              LibbpfLog());
}

/// One more than the last possible CPU's number: numbers may have gaps ("0,2-3"), and a CPU beyond
/// the maps would not be counted.
Result<std::uint32_t> CountCpus() {
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::string list;
  std::getline(file, list);
  const std::size_t last = list.find_last_of("-,");
  const std::string number = last == std::string::npos ? list : list.substr(last + 1);
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) {
    return Fail("cannot read the number of CPUs in /sys/devices/system/cpu/possible");
  }
  return static_cast<std::uint32_t>(std::strtoul(number.c_str(), nullptr, 10)) + 1;
}

Result<void> CheckBtf() {
  btf* kernel_btf = btf__load_vmlinux_btf();
  if (kernel_btf == nullptr) {
    return Fail(
        "cannot load BPF programs: the kernel has no BTF (/sys/kernel/btf/vmlinux); needs a kernel "
        "built with CONFIG_DEBUG_INFO_BTF=y, see README, Requirements");
  }
  btf__free(kernel_btf);
  return {};
}

}  // namespace

Programs::Programs(const ProgramOptions& options) : options_(options) {}

Programs::~Programs() {
  if (cpus_ != nullptr) {
    munmap(const_cast<abi_cpu*>(cpus_), cpus_bytes_);
  }
  sched_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<Programs>> Programs::Load(const ProgramOptions& options) {
  libbpf_set_print(KeepLibbpfLog);
  LibbpfLog().clear();
  if (auto btf = CheckBtf(); !btf) {
    return tl::unexpected(btf.error());
  }
  std::unique_ptr<Programs> programs(new Programs(options));
  for (const auto step : {&Programs::Open, &Programs::MapCpus, &Programs::Attach}) {
    if (auto done = (programs.get()->*step)(); !done) {
      return tl::unexpected(done.error());
    }
  }
  programs->MarkCpus();
  return programs;
}

Result<void> Programs::Open() {
  skeleton_ = sched_bpf__open();
  if (skeleton_ == nullptr) {
    return LoadError(errno);
  }
  const auto cpus = CountCpus();
  if (!cpus) {
    return tl::unexpected(cpus.error());
  }
  cpu_count_ = *cpus;
  skeleton_->rodata->hierarchy = options_.hierarchy;
  skeleton_->rodata->hierarchy_id = options_.hierarchy_id;
  bpf_map__set_max_entries(skeleton_->maps.tasks, options_.tasks);
  bpf_map__set_max_entries(skeleton_->maps.finished, options_.events_bytes);
  bpf_map__set_max_entries(skeleton_->maps.sums_a, options_.sums);
  bpf_map__set_max_entries(skeleton_->maps.sums_b, options_.sums);
  bpf_map__set_max_entries(skeleton_->maps.cpus, cpu_count_);
  bpf_map__set_max_entries(skeleton_->maps.recent, cpu_count_);
  if (const int error = sched_bpf__load(skeleton_); error != 0) {
    return LoadError(-error);
  }
  return {};
}

Result<void> Programs::MapCpus() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  cpus_bytes_ = (cpu_count_ * sizeof(abi_cpu) + page - 1) / page * page;
  void* memory =
      mmap(nullptr, cpus_bytes_, PROT_READ, MAP_SHARED, bpf_map__fd(skeleton_->maps.cpus), 0);
  if (memory == MAP_FAILED) {
    return Fail(WithErrno("cannot map the BPF map cpus", errno));
  }
  cpus_ = static_cast<const volatile abi_cpu*>(memory);
  return {};
}

Result<void> Programs::Attach() {
  if (const int error = sched_bpf__attach(skeleton_); error != 0) {
    return Fail(WithErrno("cannot attach BPF programs", -error), LibbpfLog());
  }
  return {};
}

void Programs::MarkCpus() {
  for (std::uint32_t cpu = 0; cpu < cpu_count_; ++cpu) {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    options.flags = BPF_F_TEST_RUN_ON_CPU;
    options.cpu = cpu;
    // ENXIO: the CPU is offline. Its first switch marks it; nothing runs there before.
    bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.mark_cpu), &options);
  }
}

int Programs::tasks_fd() const { return bpf_map__fd(skeleton_->maps.tasks); }
int Programs::finished_fd() const { return bpf_map__fd(skeleton_->maps.finished); }
int Programs::sums_fd(std::uint32_t index) const {
  return bpf_map__fd(index == 0 ? skeleton_->maps.sums_a : skeleton_->maps.sums_b);
}
int Programs::cgroup_paths_fd() const { return bpf_map__fd(skeleton_->maps.cgroup_paths); }
int Programs::iterator_link_fd() const { return bpf_link__fd(skeleton_->links.each_task); }

void Programs::StartSweep(std::uint32_t number) {
  __atomic_store_n(&skeleton_->bss->sweep, number, __ATOMIC_SEQ_CST);
}
std::uint32_t Programs::active_sums() const { return skeleton_->bss->active_sums; }
void Programs::set_active_sums(std::uint32_t index) {
  __atomic_store_n(&skeleton_->bss->active_sums, index, __ATOMIC_SEQ_CST);
}

std::vector<ProgramStats> Programs::ReadProgramStats() const {
  std::vector<ProgramStats> all;
  const bpf_program* program = nullptr;
  while ((program = bpf_object__next_program(skeleton_->obj, const_cast<bpf_program*>(program))) !=
         nullptr) {
    bpf_prog_info info{};
    std::uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0) {
      all.push_back(
          {bpf_program__name(program), info.run_cnt, info.run_time_ns, info.recursion_misses});
    }
  }
  return all;
}

}  // namespace sched_exporter
