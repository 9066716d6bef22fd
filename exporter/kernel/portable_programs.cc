#include "exporter/kernel/portable_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>

#include "exporter/kernel/load_error.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/kernel/portable_tracepoints.h"
#include "exporter/kernel/program_stats.h"
#include "exporter/kernel/run_on_cpus.h"
#include "exporter/kernel/tracepoint.h"
#include "exporter/kernel/tracepoint_format.h"
#include "portable.skel.h"

namespace sched_exporter {
namespace {

tl::unexpected<Error> PortableError(const Error& error) {
  return Fail("portable mode: " + error.message, error.details);
}

/// Tells the programs where their fields are.
Result<void> SetOffsets(portable_bpf& skeleton) {
  struct Wanted {
    const char* tracepoint;
    const char* field;
    std::uint32_t* offset;
  };
  auto& knobs = *skeleton.rodata;
  const Wanted all[] = {{kSwitchTracepoint, "prev_state", &knobs.at_prev_state},
                        {kNewTaskTracepoint, "pid", &knobs.at_child},
                        {kNewTaskTracepoint, "clone_flags", &knobs.at_clone_flags},
                        {kExecTracepoint, "old_pid", &knobs.at_old_pid},
                        {kExecTracepoint, "filename", &knobs.at_filename},
                        {kMkdirTracepoint, "root", &knobs.at_root},
                        {kMkdirTracepoint, "id", &knobs.at_cgroup},
                        {kMkdirTracepoint, "path", &knobs.at_path}};
  for (const Wanted& wanted : all) {
    const auto field = ReadTracepointField(wanted.tracepoint, wanted.field);
    if (!field) {
      return PortableError(field.error());
    }
    *wanted.offset = field->offset;
  }
  return {};
}

void SetTaskOffsets(portable_bpf& skeleton, const TaskOffsets& offsets) {
  auto& knobs = *skeleton.rodata;
  knobs.at_run = offsets.run;
  knobs.at_prev_run = offsets.prev_run;
  knobs.at_state = offsets.state;
  knobs.at_pid = offsets.pid;
  knobs.at_tgid = offsets.tgid;
}

/// The run time of this thread, of which schedstat is the kernel's word; 0 where it has none.
std::uint64_t OwnRunNs() {
  std::ifstream file("/proc/thread-self/schedstat");
  std::uint64_t run_ns = 0;
  file >> run_ns;
  return file ? run_ns : 0;
}

}  // namespace

PortablePrograms::PortablePrograms(const ProgramOptions& options,
                                   const std::optional<TaskOffsets>& offsets)
    : options_(options), offsets_(offsets) {}

PortablePrograms::~PortablePrograms() {
  for (bpf_link* link : links_) {
    bpf_link__destroy(link);
  }
  portable_bpf__destroy(skeleton_);
}

Result<std::unique_ptr<PortablePrograms>> PortablePrograms::Load(
    const ProgramOptions& options, const std::optional<TaskOffsets>& offsets) {
  BeginLibbpfLog();
  std::unique_ptr<PortablePrograms> programs(new PortablePrograms(options, offsets));
  for (const auto step :
       {&PortablePrograms::Open, &PortablePrograms::CheckOffsets, &PortablePrograms::Attach}) {
    if (auto done = (programs.get()->*step)(); !done) {
      return tl::unexpected(done.error());
    }
  }
  programs->CountRunning();
  return programs;
}

Result<void> PortablePrograms::Open() {
  skeleton_ = portable_bpf__open();
  if (skeleton_ == nullptr) {
    return LoadError(errno);
  }
  options_.events_bytes = std::max<std::uint32_t>(options_.events_bytes, 4096);
  skeleton_->rodata->events_bytes = options_.events_bytes;
  bpf_map__set_max_entries(skeleton_->maps.usages, options_.tasks);
  bpf_map__set_max_entries(skeleton_->maps.events, options_.events_bytes);
  bpf_map__set_max_entries(skeleton_->maps.cgroup_paths, kMostNewCgroups);
  if (auto set = SetOffsets(*skeleton_); !set) {
    return set;
  }
  const auto& programs = skeleton_->progs;
  if (offsets_) {
    SetTaskOffsets(*skeleton_, *offsets_);
  }
  bpf_program__set_autoload(programs.on_switch, !offsets_);
  for (bpf_program* program : {programs.on_switch_raw, programs.check_offsets}) {
    bpf_program__set_autoload(program, offsets_.has_value());
  }
  if (const int error = portable_bpf__load(skeleton_); error != 0) {
    return LoadError(-error);
  }
  return {};
}

/// Another kernel's offsets would give figures that look like figures: what they tell of this very
/// thread is compared with what it knows of itself.
Result<void> PortablePrograms::CheckOffsets() {
  if (!offsets_) {
    return {};
  }
  LIBBPF_OPTS(bpf_test_run_opts, options);
  const std::uint64_t before_ns = OwnRunNs();
  if (bpf_prog_test_run_opts(bpf_program__fd(skeleton_->progs.check_offsets), &options) != 0) {
    return Fail(WithErrno("portable mode: cannot check the file of --bpf.btf-path", errno));
  }
  const std::uint64_t after_ns = OwnRunNs();
  const portable_check& check = skeleton_->bss->check;
  const bool is_run_time = after_ns == 0 || (check.run_ns >= before_ns && check.run_ns <= after_ns);
  if (check.tgid == static_cast<std::uint32_t>(::getpid()) &&
      check.pid == static_cast<std::uint32_t>(::gettid()) && check.state == 0 && is_run_time) {
    return {};
  }
  return Fail(
      "the file of --bpf.btf-path is another kernel's BTF: it doesn't tell this process's PID and "
      "CPU "
      "time; give that of the kernel that runs here (uname -r), or leave the flag out");
}

Result<void> PortablePrograms::Attach() {
  const std::pair<bpf_program*, const char*> targets[] = {
      {skeleton_->progs.on_mkdir, kMkdirTracepoint},
      {skeleton_->progs.on_newtask, kNewTaskTracepoint},
      {skeleton_->progs.on_exec, kExecTracepoint},
      {skeleton_->progs.on_switch, kSwitchTracepoint}};
  if (offsets_) {
    bpf_link* const link = bpf_program__attach(skeleton_->progs.on_switch_raw);
    if (link == nullptr) {
      return AttachError(errno);
    }
    links_.push_back(link);
  }
  for (const auto& [program, name] : targets) {
    if (bpf_program__fd(program) < 0) {
      continue;
    }
    auto link = AttachTracepoint(program, name);
    if (!link) {
      return PortableError(link.error());
    }
    links_.push_back(*link);
  }
  return {};
}

int PortablePrograms::usages_fd() const { return bpf_map__fd(skeleton_->maps.usages); }
int PortablePrograms::cgroup_paths_fd() const { return bpf_map__fd(skeleton_->maps.cgroup_paths); }
int PortablePrograms::events_fd() const { return bpf_map__fd(skeleton_->maps.events); }

void PortablePrograms::CountRunning() const {
  RunOnEachCpu(bpf_program__fd(skeleton_->progs.count_running),
               static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 0)));
}

std::vector<portable_cpu> PortablePrograms::ReadCpus() const {
  std::vector<portable_cpu> cpus(static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
  const std::uint32_t zero = 0;
  bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.cpus), &zero, cpus.data());
  return cpus;
}

std::vector<ProgramStats> PortablePrograms::ReadProgramStats() const {
  return ReadStatsOfPrograms(skeleton_->obj);
}

}  // namespace sched_exporter
