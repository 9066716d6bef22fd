#include "exporter/kernel/programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "exporter/kernel/load_error.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/kernel/program_stats.h"
#include "exporter/kernel/run_on_cpus.h"
#include "exporter/kernel/tracepoint.h"
#include "sched.skel.h"

namespace sched_exporter {

Result<std::uint32_t> CountPossibleCpus() {
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

Programs::Programs(const ProgramOptions& options) : options_(options) {}

Programs::~Programs() {
  for (bpf_link* link : tracepoint_links_) {
    if (is_pinned_) {
      bpf_link__disconnect(link);  // else its event would be switched off
    }
    bpf_link__destroy(link);
  }
  if (bss_bytes_ != 0) {
    munmap(skeleton_->bss, bss_bytes_);
  }
  if (cpus_ != nullptr) {
    munmap(const_cast<abi_cpu_memory*>(cpus_), cpus_bytes_);
  }
  sched_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<Programs>> Programs::Load(const ProgramOptions& options) {
  BeginLibbpfLog();
  const auto features = ProbeKernel();
  if (!features) {
    return tl::unexpected(features.error());
  }
  std::unique_ptr<Programs> programs(new Programs(options));
  programs->features_ = *features;
  for (const auto step : {&Programs::Open, &Programs::MapCpus, &Programs::Attach}) {
    if (auto done = (programs.get()->*step)(); !done) {
      return tl::unexpected(done.error());
    }
  }
  RunOnEachCpu(bpf_program__fd(programs->skeleton_->progs.mark_cpu), programs->cpu_count_);
  return programs;
}

Result<void> Programs::Open() {
  skeleton_ = sched_bpf__open();
  if (skeleton_ == nullptr) {
    return LoadError(errno);
  }
  if (options_.transport == Transport::kAuto) {
    options_.transport = HasRingBuffers() ? Transport::kRingbuf : Transport::kPerfbuf;
  }
  // Four records of the largest kind, so that each kind can be told at all.
  const std::uint32_t largest = sizeof(abi_exec_event) + options_.arguments_bytes;
  options_.events_bytes = std::max(options_.events_bytes, std::bit_ceil(4 * largest));
  if (auto sized = SizeMaps(); !sized) {
    return sized;
  }
  SetKnobs();
  ChooseExecFailurePrograms();
  const auto& programs = skeleton_->progs;
  for (bpf_program* program : {programs.on_fork_2nd, programs.on_exec_2nd, programs.on_exit_2nd}) {
    bpf_program__set_autoload(program, features_.tracepoints_preempted);
  }
  if (const int error = sched_bpf__load(skeleton_); error != 0) {
    return LoadError(-error);
  }
  return {};
}

Result<void> Programs::SizeMaps() {
  const auto cpus = CountPossibleCpus();
  if (!cpus) {
    return tl::unexpected(cpus.error());
  }
  cpu_count_ = *cpus;
  const auto& maps = skeleton_->maps;
  bpf_map__set_max_entries(maps.tasks, options_.tasks);
  bpf_map__set_max_entries(maps.cgroup_paths, kMostNewCgroups);
  for (bpf_map* map : {maps.sums_a, maps.sums_b, maps.counts_a, maps.counts_b}) {
    bpf_map__set_max_entries(map, options_.sums);
  }
  // Each CPU keeps up to 128 free entries of an LRU hash to itself (kernel/bpf/bpf_lru_list.c).
  for (bpf_map* map : {maps.told, maps.exiting}) {
    bpf_map__set_max_entries(map, std::max(16'384U, 512 * cpu_count_));
  }
  bpf_map__set_max_entries(maps.cpus, cpu_count_);
  bpf_map__set_max_entries(maps.distributions, cpu_count_ * (cgroup_places() + 1));
  if (options_.transport == Transport::kRingbuf) {
    bpf_map__set_max_entries(maps.events, options_.events_bytes);
    return {};
  }
  bpf_map__set_type(maps.events, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  bpf_map__set_key_size(maps.events, sizeof(std::uint32_t));
  bpf_map__set_value_size(maps.events, sizeof(std::uint32_t));
  bpf_map__set_max_entries(maps.events, cpu_count_);
  bpf_map__set_max_entries(maps.scratch, cpu_count_);
  return {};
}

void Programs::SetKnobs() {
  auto& knobs = *skeleton_->rodata;
  knobs.hierarchy = options_.hierarchy;
  knobs.hierarchy_id = options_.hierarchy_id;
  knobs.transport =
      options_.transport == Transport::kRingbuf ? ABI_TRANSPORT_RINGBUF : ABI_TRANSPORT_PERFBUF;
  knobs.events_bytes = options_.events_bytes;
  knobs.arguments_room = options_.arguments_bytes;
  knobs.finals_only = options_.finals_only;
  knobs.cgroup_places = cgroup_places();
  knobs.exit_tells_group_dead = features_.exit_tells_group_dead;
  knobs.victim_is_task = features_.victim_is_task;
  knobs.tracepoints_preempted = features_.tracepoints_preempted;
  knobs.has_task_pt_regs = features_.has_task_pt_regs;
}

/// At the functions' ends where they can be traced, else by the two tracepoints.
void Programs::ChooseExecFailurePrograms() {
  struct Target {
    bpf_program* first;
    bpf_program* second;
    const TraceableEnd& end;
  };
  const auto& programs = skeleton_->progs;
  const bool by_fexit =
      options_.exec_failures == ExecFailures::kFexit ||
      (options_.exec_failures == ExecFailures::kAuto && !features_.execve.function.empty());
  const Target targets[] = {
      {programs.execve_end, programs.execve_2nd, features_.execve},
      {programs.execveat_end, programs.execveat_2nd, features_.execveat},
      {programs.execve32_end, programs.execve32_2nd, features_.execve_32},
      {programs.execveat32_end, programs.execveat32_2nd, features_.execveat_32}};
  for (const Target& target : targets) {
    skeleton_->rodata->tells_registers[&target - targets] = target.end.tells_registers;
    for (bpf_program* program : {target.first, target.second}) {
      const bool wanted = by_fexit && !target.end.function.empty();
      bpf_program__set_autoload(
          program,
          wanted && bpf_program__set_attach_target(program, 0, target.end.function.c_str()) == 0);
    }
  }
  for (bpf_program* program : {programs.traced_execve, programs.traced_execveat}) {
    bpf_program__set_autoload(program, !by_fexit && options_.exec_failures != ExecFailures::kOff);
    bpf_program__set_autoattach(program, false);
  }
  if (by_fexit && features_.execve.function.empty()) {
    shortcomings_.emplace_back(
        "failed execs are not counted: this kernel cannot trace the end of execve(); set "
        "events.exec_failures to tracepoint");
  }
}

void Programs::AttachTracepoints() {
  for (const auto& [name, tracepoint] : kTracedPrograms) {
    const bpf_program* const program = bpf_object__find_program_by_name(skeleton_->obj, name);
    if (bpf_program__fd(program) < 0) {
      continue;
    }
    auto link = AttachTracepoint(program, tracepoint);
    if (!link) {
      shortcomings_.push_back("failed execs are not counted: " + link.error().message);
      return;
    }
    tracepoint_links_.push_back(*link);
  }
}

Result<void> Programs::MapCpus() {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  cpus_bytes_ = (cpu_count_ * sizeof(abi_cpu_memory) + page - 1) / page * page;
  void* memory =
      mmap(nullptr, cpus_bytes_, PROT_READ, MAP_SHARED, bpf_map__fd(skeleton_->maps.cpus), 0);
  if (memory == MAP_FAILED) {
    return Fail(WithErrno("cannot map the BPF map cpus", errno));
  }
  cpus_ = static_cast<const volatile abi_cpu_memory*>(memory);
  return {};
}

Result<void> Programs::Attach() {
  if (const int error = sched_bpf__attach(skeleton_); error != 0) {
    return AttachError(-error);
  }
  AttachTracepoints();
  return {};
}

int Programs::tasks_fd() const { return bpf_map__fd(skeleton_->maps.tasks); }
int Programs::events_fd() const { return bpf_map__fd(skeleton_->maps.events); }
int Programs::sums_fd(std::uint32_t index) const {
  return bpf_map__fd(index == 0 ? skeleton_->maps.sums_a : skeleton_->maps.sums_b);
}
int Programs::counts_fd(std::uint32_t index) const {
  return bpf_map__fd(index == 0 ? skeleton_->maps.counts_a : skeleton_->maps.counts_b);
}
int Programs::counts_other_fd() const { return bpf_map__fd(skeleton_->maps.counts_other); }
int Programs::cgroup_paths_fd() const { return bpf_map__fd(skeleton_->maps.cgroup_paths); }
int Programs::distributions_fd() const { return bpf_map__fd(skeleton_->maps.distributions); }
int Programs::iterator_link_fd() const { return bpf_link__fd(skeleton_->links.each_task); }

/// Half of them empty at most, so that a cgroup is found with one or two looks.
std::uint32_t Programs::cgroup_places() const {
  return options_.distributions && !options_.finals_only ? std::bit_ceil(2 * options_.cgroups) : 0;
}

void Programs::StartSweep(std::uint32_t number) {
  __atomic_store_n(&skeleton_->bss->sweep, number, __ATOMIC_SEQ_CST);
}
std::uint32_t Programs::sums_turn() const { return skeleton_->bss->sums_turn; }
void Programs::set_sums_turn(std::uint32_t turn) {
  __atomic_store_n(&skeleton_->bss->sums_turn, turn, __ATOMIC_SEQ_CST);
}

std::uint64_t Programs::CountLostLifecycle() const {
  std::uint64_t lost = 0;
  for (std::uint32_t i = 0; i < cpu_count_; ++i) {
    lost += cpu(i).lifecycle_full;
  }
  return lost;
}

const bpf_object* Programs::object() const { return skeleton_->obj; }

std::vector<ProgramStats> Programs::ReadProgramStats() const {
  // Of adopted programs the object has nothing.
  std::vector<ProgramStats> all = ReadStatsOfPrograms(skeleton_->obj);
  for (const auto& [name, fd] : adopted_) {
    AddStatsOf(name, fd.get(), all);
  }
  return all;
}

}  // namespace sched_exporter
