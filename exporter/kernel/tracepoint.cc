#include "exporter/kernel/tracepoint.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

/// tracefs, mounted or not; fsopen(2), fsmount(2), Linux 5.2.
UniqueFd OpenTracefs() {
  for (const char* path : {"/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"}) {
    if (UniqueFd mounted(::open(path, O_PATH | O_DIRECTORY | O_CLOEXEC)); mounted.valid()) {
      return mounted;
    }
  }
  const UniqueFd context(static_cast<int>(::fsopen("tracefs", FSOPEN_CLOEXEC)));
  if (!context.valid() ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return {};
  }
  const UniqueFd root(
      ::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  return UniqueFd(::openat(root.get(), "events", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Result<std::string> ReadTracepointFile(const std::string& name, const std::string& file) {
  const UniqueFd events = OpenTracefs();
  if (!events.valid()) {
    return Fail(
        WithErrno("cannot open tracefs; mount it on /sys/kernel/tracing, readable to the "
                  "exporter's user",
                  errno));
  }
  const UniqueFd opened(::openat(events.get(), (name + "/" + file).c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 16'384> text{};
  const ssize_t bytes = opened.valid() ? ::read(opened.get(), text.data(), text.size()) : -1;
  if (bytes <= 0) {
    return Fail(WithErrno("cannot read the tracepoint " + name + " in tracefs", errno));
  }
  return std::string(text.data(), static_cast<std::size_t>(bytes));
}

Result<std::uint64_t> TracepointNumber(const std::string& name) {
  return ReadTracepointFile(name, "id").map([](const std::string& text) {
    return std::strtoull(text.c_str(), nullptr, 10);
  });
}

Result<UniqueFd> OpenTracepoint(const char* name) {
  const auto number = TracepointNumber(name);
  if (!number) {
    return tl::unexpected(number.error());
  }
  perf_event_attr attributes{};
  attributes.size = sizeof(attributes);
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = *number;
  // A program on a tracepoint's event runs for all tasks on all CPUs, whatever CPU it names.
  UniqueFd event(static_cast<int>(
      ::syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event.valid()) {
    return Fail(WithErrno(std::string("cannot open the tracepoint ") + name, errno));
  }
  return event;
}

Result<bpf_link*> AttachTracepoint(const bpf_program* program, const char* name) {
  auto event = OpenTracepoint(name);
  if (!event) {
    return tl::unexpected(event.error());
  }
  bpf_link* link = bpf_program__attach_perf_event(program, event->get());
  if (link == nullptr) {
    return Fail(WithErrno(std::string("cannot attach to the tracepoint ") + name, errno));
  }
  event->Release();  // the link's now
  return link;
}

}  // namespace sched_exporter
