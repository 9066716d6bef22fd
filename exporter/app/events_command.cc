#include "exporter/app/events_command.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include "exporter/app/attach.h"
#include "exporter/app/event_stream.h"
#include "exporter/app/from_config.h"
#include "exporter/app/host_naming.h"
#include "exporter/app/living_programs.h"
#include "exporter/app/log.h"
#include "exporter/app/privileges.h"
#include "exporter/app/syscall_filter.h"
#include "exporter/base/clock.h"
#include "exporter/base/unique_fd.h"
#include "exporter/events/descriptor_sink.h"
#include "exporter/events/event_assembler.h"
#include "exporter/events/event_text.h"
#include "exporter/events/table_line.h"
#include "exporter/identity/process_book.h"
#include "exporter/kernel/decode_event.h"
#include "exporter/kernel/event_buffer.h"

namespace sched_exporter {
namespace {

/// How long an event waits to be seen.
constexpr int kIntervalMs = 100;

constexpr std::uint64_t kForEver = std::numeric_limits<std::uint64_t>::max();

/// Programs, buffer and names behind the table.
class EventTable {
 public:
  /// `end_fd` becomes readable when the program has to end.
  EventTable(Attached attached, const Config& config, const HostPaths& paths,
             const EventsFilter& filter, int end_fd)
      : end_fd_(end_fd),
        paths_(paths),
        filter_(filter),
        programs_(std::move(attached.programs)),
        made_cgroups_(programs_->cgroup_paths_fd(), false),
        pods_(PodSourcesOf(config)),
        naming_(paths, attached.cgroup_mount.mount_point, &pods_, config),
        assembler_(naming_) {}

  Result<void> Open() {
    naming_.AskForNew([this] { return made_cgroups_.Take(); });
    auto buffer = EventBuffer::Open(*programs_, [this](const void* record, std::size_t bytes) {
      if (auto event = decoder_.Decode(record, bytes)) {
        book_.Annotate(*event);
        naming_.Annotate(*event);
        assembler_.Take(*event, ready_);
      }
    });
    if (!buffer) {
      return tl::unexpected(buffer.error());
    }
    buffer_ = std::move(*buffer);
    NoteLivingPrograms(*programs_, paths_, book_, naming_);
    return {};
  }

  /// Names of pods are looked for again from now on.
  void Start() { pods_.Start(); }

  int wakeup_fd() const { return buffer_->wakeup_fd(); }

  /// Writes what happened since the last call; with `to_the_end` exits, too, whose figures may not
  /// be final.
  Result<void> Write(bool to_the_end) {
    const std::uint64_t begun_ns = BoottimeNs();
    NoteLosses();
    naming_.NoteNew(made_cgroups_.Take());
    naming_.Refresh(begun_ns);
    assembler_.set_boot_unix_ns(BootUnixNs());
    buffer_->Drain();
    buffer_->Release();
    assembler_.Settle(to_the_end ? kForEver : begun_ns, ready_);
    for (const LifecycleEvent& event : ready_) {
      if (!filter_.Lets(event)) {
        continue;
      }
      if (auto written = WriteLine(TableLine(event, filter_.arguments)); !written) {
        return written;
      }
    }
    ready_.clear();
    return {};
  }

  /// A signal that ends the program ends the wait for a reader, too.
  Result<void> WriteLine(const std::string& line) {
    return output_.Write(line, [this] { return HasToEnd(); });
  }

  bool HasToEnd() const {
    pollfd end{end_fd_, POLLIN, 0};
    return poll(&end, 1, 0) > 0;
  }

  /// Nobody reads any more.
  bool HasNoReader() const { return output_.IsOver(); }

 private:
  void NoteLosses() {
    const std::uint64_t lost = programs_->CountLostLifecycle();
    if (lost != known_losses_) {
      book_.NoteLost();
      naming_.NoteLost();
      ready_.push_back(GapOf(lost - known_losses_, kKernelBuffer));
      known_losses_ = lost;
    }
  }

  int end_fd_;
  HostPaths paths_;
  EventsFilter filter_;
  DescriptorSink output_{STDOUT_FILENO, "standard output"};
  std::unique_ptr<Programs> programs_;
  NewCgroups made_cgroups_;
  PodWatcher pods_;
  HostNaming naming_;
  EventDecoder decoder_;
  ProcessBook book_;
  EventAssembler assembler_;
  std::unique_ptr<EventBuffer> buffer_;
  std::vector<LifecycleEvent> ready_;
  std::uint64_t known_losses_ = 0;
};

/// Becomes readable on the signals that end the program.
UniqueFd EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(signalfd(-1, &signals, SFD_CLOEXEC));
}

bool IsFailure(const LifecycleEvent& event) {
  return event.type == LifecycleEvent::Type::kExecFailed ||
         event.type == LifecycleEvent::Type::kOomKill ||
         (event.type == LifecycleEvent::Type::kExit && event.code != 0);
}

/// True for the cgroup itself and for those below it.
bool IsWithin(const std::string& cgroup, const std::string& top) {
  return cgroup == top || top == "/" || cgroup.starts_with(top + "/");
}

/// Until a signal, or until a line can't be written.
Result<void> Show(EventTable& table, int end_fd) {
  Result<void> done = table.WriteLine(TableHeader());
  std::array<pollfd, 2> fds{{{end_fd, POLLIN, 0}, {table.wakeup_fd(), POLLIN, 0}}};
  while (done && !table.HasToEnd()) {
    poll(fds.data(), fds.size(), kIntervalMs);
    done = table.Write(false);
  }
  return done ? table.Write(true) : done;
}

}  // namespace

bool EventsFilter::Lets(const LifecycleEvent& event) const {
  if (event.type == LifecycleEvent::Type::kLost) {
    return true;
  }
  return (group.empty() || event.group == group) &&
         (cgroup.empty() || IsWithin(event.cgroup, cgroup)) && (!failed || IsFailure(event));
}

int RunEventsCommand(Config config, const HostPaths& paths, const EventsFilter& filter) {
  const UniqueFd end = EndSignals();
  config.events.arguments = filter.arguments;
  config.maps.tasks = 1;
  auto attached = AttachPrograms(config, paths, true);
  if (!attached) {
    return Fatal(attached.error());
  }
  EventTable table(std::move(*attached), config, paths, filter, end.get());
  if (auto opened = table.Open(); !opened) {
    return Fatal(opened.error());
  }
  // Files of programs that run already are known now, and those of others come with their exec.
  if (auto dropped = DropPrivileges({}); !dropped) {
    return Fatal(dropped.error());
  }
  table.Start();
  if (auto filtered = FilterSystemCalls(); !filtered) {
    return Fatal(filtered.error());
  }
  const Result<void> done = Show(table, end.get());
  return done || table.HasNoReader() || table.HasToEnd() ? EXIT_SUCCESS : Fatal(done.error());
}

}  // namespace sched_exporter
