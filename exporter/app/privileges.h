#pragma once

#include <string>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// What needs a capability after the programs are attached; docs/operations.md has the table.
struct LastingNeeds {
  bool foreign_exes = false;  ///< /proc/PID/exe of other users' processes: CAP_SYS_PTRACE.
  bool low_port = false;      ///< Listening on a port below 1024: CAP_NET_BIND_SERVICE.
};

/// True where one of the addresses (host:port) has a port below 1024 that isn't 0.
bool HasLowPort(const std::vector<std::string>& listen_addresses);

/// Makes the capabilities effective that are of use to this program and that it is permitted to
/// have. A binary with file capabilities needs it: they are set without the effective bit, since
/// execve() fails with EPERM, and no word of ours, where that bit is set and a container's bounding
/// set lacks one of them. What is missing is told by who misses it.
void RaisePermittedCapabilities();

/// Gives up every capability that is not needed once the programs are attached, and every way to
/// get one (bounding set where it may be changed, ambient set, no_new_privs), for this thread and
/// those it starts. What stays, as far as it was there: what `needs` says, and CAP_BPF (or else
/// CAP_SYS_ADMIN) where the kernel wants it for maps that are open already.
Result<void> DropPrivileges(const LastingNeeds& needs);

}  // namespace sched_exporter
