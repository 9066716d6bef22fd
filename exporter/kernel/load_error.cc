#include "exporter/kernel/load_error.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string>

#include "exporter/kernel/capabilities.h"
#include "exporter/kernel/capability_needs.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxLogBytes = std::size_t{64} * 1024;

/// What libbpf had to say while one object was loaded; libbpf's print function takes no context.
std::string& LibbpfLog() {
  static std::string log;
  return log;
}

/// The verifier's words come as one line of any length, and its reason is at their end.
int KeepLibbpfLog(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) {
    return 0;
  }
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  std::string& log = LibbpfLog();
  const std::size_t former = log.size();
  log.resize(former + static_cast<std::size_t>(std::max(length, 0)) + 1);
  std::vsnprintf(log.data() + former, log.size() - former, format, arguments);
  log.pop_back();  // NUL
  if (log.size() > kMaxLogBytes) {
    log.erase(0, log.size() - kMaxLogBytes);
  }
  return length;
}

/// The verifier refuses programs with the same errno as a lack of privileges.
bool VerifierSpoke() { return LibbpfLog().find("PROG LOAD LOG") != std::string::npos; }

}  // namespace

void BeginLibbpfLog() {
  libbpf_set_print(KeepLibbpfLog);
  LibbpfLog().clear();
}

tl::unexpected<Error> LoadError(int error) {
  const std::string what = "cannot load BPF programs: ";
  if ((error == EPERM || error == EACCES) && !(HasBpfCapabilities() && VerifierSpoke())) {
    if (!HasBpfCapabilities()) {
      return Fail(what + MissingBpfCapabilities() + "; see README, Permissions", LibbpfLog());
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
    return Fail(what + "not enough memory for the maps; make maps.tasks or maps.cgroups smaller",
                LibbpfLog());
  }
  return Fail(WithErrno(what + "the kernel (Linux 5.10 or later is needed) refused them", error) +
                  "; --log.level=debug shows its reasons",
              LibbpfLog());
}

tl::unexpected<Error> AttachError(int error) {
  return Fail(WithErrno("cannot attach BPF programs", error), LibbpfLog());
}

}  // namespace sched_exporter
