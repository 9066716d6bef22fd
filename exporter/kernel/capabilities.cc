#include "exporter/kernel/capabilities.h"

#include <cap-ng.h>

namespace sched_exporter {

bool HasBpfCapabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return false;
  }
  const auto has = [](unsigned capability) {
    return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
  };
  return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
}

}  // namespace sched_exporter
