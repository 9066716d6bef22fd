#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "exporter/identity/host_paths.h"
#include "exporter/identity/user_names.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// What /proc and the user database know of a process beyond the kernel's records. Read once for a
/// process and again when it changed its name; kept while it is asked for.
class ProcessDetails {
 public:
  struct Details {
    std::string exe;   ///< Printable; empty for kernel threads and where it can't be read.
    std::string user;  ///< Printable; the uid in digits where it has no name.
  };

  explicit ProcessDetails(const HostPaths& paths = {}) : paths_(paths), users_(paths.rootfs) {}

  const Details& Of(const ProcessRow& process);

  /// Forgets processes that were not asked for since the last call.
  void Prune();

 private:
  struct Entry {
    std::uint64_t start_ns = 0;
    std::string comm;
    std::uint32_t uid = 0;
    bool used = false;
    Details details;
  };

  std::string ReadExe(std::uint32_t pid) const;

  HostPaths paths_;
  UserNames users_;
  std::unordered_map<std::uint32_t, Entry> entries_;
};

}  // namespace sched_exporter
