#include "exporter/kernel/capabilities.h"

#include <cap-ng.h>

namespace sched_exporter {

ProbedCapabilities ReadCapabilities() {
  capng_clear(CAPNG_SELECT_ALL);
  if (capng_get_caps_process() != 0) {
    return {};
  }
  const auto has = [](unsigned capability) {
    return capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
  };
  return {has(CAP_BPF),        has(CAP_PERFMON),          has(CAP_SYS_ADMIN),
          has(CAP_SYS_PTRACE), has(CAP_NET_BIND_SERVICE), has(CAP_DAC_READ_SEARCH)};
}

bool HasBpfCapabilities() {
  const ProbedCapabilities has = ReadCapabilities();
  return has.sys_admin || (has.bpf && has.perfmon);
}

}  // namespace sched_exporter
