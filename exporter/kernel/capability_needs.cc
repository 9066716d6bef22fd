#include "exporter/kernel/capability_needs.h"

#include <bpf/bpf.h>
#include <cap-ng.h>

#include <cerrno>
#include <cstdint>
#include <fstream>

namespace sched_exporter {
namespace {

bool IsEffective(unsigned capability) {
  return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
}

/// 1 is for ever, 2 until the administrator says otherwise.
bool IsUnprivilegedBpfDisabled() {
  std::ifstream file("/proc/sys/kernel/unprivileged_bpf_disabled");
  int value = 0;
  return file >> value && value != 0;
}

}  // namespace

std::string MissingBpfCapabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return "needs CAP_BPF and CAP_PERFMON (or root)";
  }
  if (IsEffective(CAP_BPF)) {
    return "needs CAP_PERFMON; it has CAP_BPF";
  }
  return IsEffective(CAP_PERFMON) ? "needs CAP_BPF; it has CAP_PERFMON"
                                  : "needs CAP_BPF and CAP_PERFMON (or root)";
}

bool OpenMapsNeedCapability() {
  capng_clear(CAPNG_SELECT_ALL);
  if (!IsUnprivilegedBpfDisabled() || capng_get_caps_process() != 0) {
    return true;
  }
  void* before = capng_save_state();
  capng_updatev(CAPNG_DROP, CAPNG_EFFECTIVE, CAP_BPF, CAP_SYS_ADMIN, -1);
  bool needed = true;
  if (capng_apply(CAPNG_SELECT_CAPS) == 0) {
    std::uint64_t key = 0;
    // EBADF, as there is no such map, where nobody minds the asking.
    needed = bpf_map_get_next_key(-1, nullptr, &key) != -EBADF;
  }
  capng_restore_state(&before);
  capng_apply(CAPNG_SELECT_CAPS);
  return needed;
}

}  // namespace sched_exporter
