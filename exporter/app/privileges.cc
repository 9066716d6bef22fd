#include "exporter/app/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <iterator>

#include "exporter/http/address.h"
#include "exporter/kernel/capability_needs.h"

namespace sched_exporter {
namespace {

constexpr std::uint16_t kFirstHighPort = 1024;

/// The bounding set is emptied for root, whose CAP_SETPCAP allows it. Others keep theirs, and gain
/// nothing by it at execve() with no_new_privs.
void CloseWaysBack() {
  for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/// Those of `wanted` that are there.
std::vector<unsigned> Effective(const std::vector<unsigned>& wanted) {
  std::vector<unsigned> there;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(there), [](unsigned capability) {
    return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
  });
  return there;
}

/// Call it after capng_get_caps_process().
std::vector<unsigned> WhatStays(const LastingNeeds& needs, bool maps_need_capability) {
  std::vector<unsigned> wanted;
  if (maps_need_capability) {
    // CAP_SYS_ADMIN alone is what runtimes that don't know CAP_BPF give.
    const bool has_bpf = capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) != 0;
    wanted.push_back(has_bpf ? CAP_BPF : CAP_SYS_ADMIN);
  }
  if (needs.foreign_exes) {
    wanted.push_back(CAP_SYS_PTRACE);
  }
  if (needs.low_port) {
    wanted.push_back(CAP_NET_BIND_SERVICE);
  }
  return Effective(wanted);
}

}  // namespace

bool HasLowPort(const std::vector<std::string>& listen_addresses) {
  return std::any_of(listen_addresses.begin(), listen_addresses.end(), [](const std::string& text) {
    const auto address = ParseListenAddress(text);
    return address && address->port != 0 && address->port < kFirstHighPort;
  });
}

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

Result<void> DropPrivileges(const LastingNeeds& needs) {
  constexpr capng_type_t kBoth = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
  const bool maps_need_capability = OpenMapsNeedCapability();
  CloseWaysBack();
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return Fail("cannot read the capabilities of this process");
  }
  const std::vector<unsigned> staying = WhatStays(needs, maps_need_capability);
  capng_clear(CAPNG_SELECT_CAPS);
  for (const unsigned capability : staying) {
    capng_update(CAPNG_ADD, kBoth, capability);
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
