#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sched_exporter {

/// What rules may ask of a process. Bytes as the kernel has them, not printable. Only what the
/// rules need (RuleNeeds) has to be there.
struct ProcessFacts {
  std::string comm;                    ///< Of the thread group's leader.
  std::vector<std::string> arguments;  ///< argv; empty for kernel threads and zombies.
  std::string user;                    ///< Name of the effective user, or the uid in digits.
  std::uint32_t pid = 0;
  std::uint64_t start_unix_ns = 0;
  std::string cgroup;         ///< Path from the root of the hierarchy.
  std::string unit;           ///< systemd unit, e.g. "nginx.service"; empty where there is none.
  std::string pod_namespace;  ///< Kubernetes namespace; empty where there is none, as the next two.
  std::string pod;
  std::string container;  ///< Its name; where that isn't known, empty.
};

/// Which of the facts are worth getting: some cost a system call.
struct RuleNeeds {
  bool arguments = false;
  bool user = false;
  bool cgroup = false;
  bool unit = false;
  bool pods = false;     ///< pod_namespace, pod or container.
  bool process = false;  ///< pid or start_unix_ns: no two processes have the same answer.

  bool operator==(const RuleNeeds&) const = default;
};

}  // namespace sched_exporter
