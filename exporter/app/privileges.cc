#include "exporter/app/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <cerrno>

namespace sched_exporter {

void RaisePermittedCapabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return;
  }
  for (const unsigned capability : {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_NET_BIND_SERVICE,
                                    CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN}) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) {
      capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capability);
    }
  }
  static_cast<void>(capng_apply(CAPNG_SELECT_CAPS));
}

Result<void> DropPrivileges() {
  // Before 5.8 there is no CAP_BPF; neither is there anything that this exporter could load.
  constexpr capng_type_t kBoth = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return Fail("cannot read the capabilities of this process");
  }
  const bool has_admin = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN) != 0;
  const bool has_bpf = capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) != 0 &&
                       capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON) != 0;
  const bool has_ptrace = capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE) != 0;
  const bool has_bind = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_BIND_SERVICE) != 0;
  capng_clear(CAPNG_SELECT_CAPS);
  if (has_bpf) {
    capng_updatev(CAPNG_ADD, kBoth, CAP_BPF, CAP_PERFMON, -1);
  } else if (has_admin) {
    capng_update(CAPNG_ADD, kBoth, CAP_SYS_ADMIN);
  }
  if (has_ptrace) {
    capng_update(CAPNG_ADD, kBoth, CAP_SYS_PTRACE);
  }
  if (has_bind) {
    capng_update(CAPNG_ADD, kBoth, CAP_NET_BIND_SERVICE);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
    return Fail("cannot give up capabilities that are not needed any more");
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return Fail(WithErrno("cannot set no_new_privs", errno));
  }
  return {};
}

}  // namespace sched_exporter
