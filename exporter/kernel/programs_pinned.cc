// Programs that outlive the exporter, and the exporter that finds them.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exporter/kernel/programs.h"
#include "exporter/kernel/tracepoint.h"
#include "sched.skel.h"

namespace sched_exporter {
namespace {

std::string MapPin(const bpf_map* map) { return std::string("map_") + bpf_map__name(map); }
std::string ProgramPin(const std::string& name) { return "program_" + name; }
std::string LinkPin(const std::string& name) { return "link_" + name; }

tl::unexpected<Error> PinError(const std::string& path, int error) {
  return Fail(WithErrno("cannot pin " + path, error));
}

tl::unexpected<Error> OpenError(const std::string& path, int error) {
  return Fail(WithErrno("cannot open what is pinned at " + path, error));
}

}  // namespace

ProgramOptions Programs::OptionsOf(const abi_layout& layout) {
  ProgramOptions options;
  options.tasks = layout.tasks;
  options.events_bytes = layout.events_bytes;
  options.sums = layout.sums;
  options.transport = Transport::kRingbuf;
  options.exec_failures = static_cast<ExecFailures>(layout.exec_failures);
  options.arguments_bytes = layout.arguments_bytes;
  options.cgroups = layout.cgroups;
  options.distributions = layout.distributions != 0;
  options.hierarchy = static_cast<abi_hierarchy>(layout.hierarchy);
  options.hierarchy_id = layout.hierarchy_id;
  return options;
}

Result<void> Programs::Pin(const Pins& pins, std::uint64_t instance, const char* version) {
  if (options_.transport != Transport::kRingbuf) {
    return Fail("persistence needs a BPF ring buffer (Linux 5.8), and events.transport says no");
  }
  if (auto begun = pins.Begin(); !begun) {
    return begun;
  }
  const bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(skeleton_->obj, map)) != nullptr) {
    const std::string path = pins.NewPathOf(MapPin(map));
    if (bpf_obj_pin(bpf_map__fd(map), path.c_str()) != 0) {
      return PinError(path, errno);
    }
  }
  if (auto pinned = PinPrograms(pins); !pinned) {
    return pinned;
  }
  abi_layout layout{};
  layout.layout = ABI_LAYOUT;
  layout.size = sizeof(layout);
  layout.instance = instance;
  layout.cpu_count = cpu_count_;
  layout.tasks = options_.tasks;
  layout.events_bytes = options_.events_bytes;
  layout.sums = options_.sums;
  layout.arguments_bytes = options_.arguments_bytes;
  layout.cgroups = options_.cgroups;
  layout.distributions = options_.distributions ? 1 : 0;
  layout.exec_failures = static_cast<std::uint32_t>(options_.exec_failures);
  layout.hierarchy = options_.hierarchy;
  layout.hierarchy_id = options_.hierarchy_id;
  std::strncpy(layout.version, version, sizeof(layout.version) - 1);
  is_pinned_ = true;
  return pins.Complete(layout);
}

Result<void> Programs::PinPrograms(const Pins& pins) {
  const bpf_object_skeleton& all = *skeleton_->skeleton;
  for (int i = 0; i < all.prog_cnt; ++i) {
    const bpf_prog_skeleton& entry = all.progs[i];
    const int fd = bpf_program__fd(*entry.prog);
    const std::string program = pins.NewPathOf(ProgramPin(entry.name));
    const std::string link = pins.NewPathOf(LinkPin(entry.name));
    if (fd >= 0 && bpf_obj_pin(fd, program.c_str()) != 0) {
      return PinError(program, errno);
    }
    if (*entry.link != nullptr && bpf_obj_pin(bpf_link__fd(*entry.link), link.c_str()) != 0) {
      return PinError(link, errno);
    }
  }
  PinTracepoints(pins);
  return {};
}

/// The links are in the order of the programs, as far as there are any.
void Programs::PinTracepoints(const Pins& pins) {
  for (std::size_t i = 0; i < tracepoint_links_.size(); ++i) {
    const std::string path = pins.NewPathOf(LinkPin(kTracedPrograms.at(i).first));
    if (bpf_obj_pin(bpf_link__fd(tracepoint_links_[i]), path.c_str()) != 0) {
      shortcomings_.emplace_back(
          "failed execs are not counted while no exporter runs: links of tracepoints can be pinned "
          "from Linux 5.15 on");
      return;
    }
  }
}

Result<std::unique_ptr<Programs>> Programs::Adopt(const Pins& pins, const abi_layout& layout) {
  std::unique_ptr<Programs> programs(new Programs(OptionsOf(layout)));
  programs->cpu_count_ = layout.cpu_count;
  programs->is_pinned_ = true;
  programs->skeleton_ = sched_bpf__open();
  if (programs->skeleton_ == nullptr) {
    return Fail(WithErrno("cannot open the BPF object", errno));
  }
  for (const auto step : {&Programs::AdoptMaps, &Programs::AdoptPrograms}) {
    if (auto done = (programs.get()->*step)(pins); !done) {
      return tl::unexpected(done.error());
    }
  }
  if (auto mapped = programs->MapCpus(); !mapped) {
    return tl::unexpected(mapped.error());
  }
  return programs;
}

Result<void> Programs::AdoptMaps(const Pins& pins) {
  bpf_map* map = nullptr;
  while ((map = bpf_object__next_map(skeleton_->obj, map)) != nullptr) {
    const std::string path = pins.PathOf(MapPin(map));
    const UniqueFd pinned(bpf_obj_get(path.c_str()));
    if (!pinned.valid() || bpf_map__reuse_fd(map, pinned.get()) != 0) {
      return OpenError(path, errno);
    }
  }
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* bss =
      mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(skeleton_->maps.bss), 0);
  if (bss == MAP_FAILED) {
    return Fail(WithErrno("cannot map the variables of the BPF programs", errno));
  }
  skeleton_->bss = static_cast<decltype(skeleton_->bss)>(bss);
  bss_bytes_ = page;
  return {};
}

/// Those that were not loaded have no pin; those that were and are not attached have no link.
Result<void> Programs::AdoptPrograms(const Pins& pins) {
  const bpf_object_skeleton& all = *skeleton_->skeleton;
  for (int i = 0; i < all.prog_cnt; ++i) {
    const bpf_prog_skeleton& entry = all.progs[i];
    UniqueFd program(bpf_obj_get(pins.PathOf(ProgramPin(entry.name)).c_str()));
    if (!program.valid()) {
      continue;
    }
    adopted_.emplace_back(entry.name, std::move(program));
    const std::string link = pins.PathOf(LinkPin(entry.name));
    if (::access(link.c_str(), F_OK) == 0) {
      *entry.link = bpf_link__open(link.c_str());
    }
  }
  for (const auto& [name, link] : {std::pair{"on_switch", skeleton_->links.on_switch},
                                   {"each_task", skeleton_->links.each_task}}) {
    if (link == nullptr) {
      return OpenError(pins.PathOf(LinkPin(name)), ENOENT);
    }
  }
  AdoptTracepoints(pins);
  return {};
}

/// Where the kernel can't pin them, their events ended with the exporter that had opened them.
void Programs::AdoptTracepoints(const Pins& pins) {
  for (const auto& [name, tracepoint] : kTracedPrograms) {
    for (const auto& [program, fd] : adopted_) {
      if (program != name || ::access(pins.PathOf(LinkPin(name)).c_str(), F_OK) == 0) {
        continue;
      }
      auto event = OpenTracepoint(tracepoint);
      if (!event || ::ioctl(event->get(), PERF_EVENT_IOC_SET_BPF, fd.get()) != 0 ||
          ::ioctl(event->get(), PERF_EVENT_IOC_ENABLE, 0) != 0) {
        shortcomings_.push_back(std::string("failed execs are not counted: cannot attach to the ") +
                                "tracepoint " + tracepoint);
        continue;
      }
      adopted_events_.push_back(std::move(*event));
    }
  }
}

}  // namespace sched_exporter
