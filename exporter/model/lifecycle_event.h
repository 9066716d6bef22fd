#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// One event of the stream, complete and with names.
struct LifecycleEvent {
  enum class Type {
    kExec,
    kExecFailed,
    kExit,
    kOomKill,
    kLost,  ///< A gap: `lost` events are missing here, which `buffer` had no room for.
  };
  Type type = Type::kExec;
  std::uint64_t time_unix_ns = 0;
  std::uint32_t pid = 0;
  std::uint32_t ppid = 0;
  std::uint32_t uid = 0;
  std::string comm;    ///< Printable.
  std::string group;   ///< Printable.
  std::string cgroup;  ///< Printable path from the root of the hierarchy.
  std::map<std::string, std::string> cgroup_labels;  ///< Naming::CgroupLabels().
  std::uint32_t code = 0;                            ///< kExit: ExitCode; kExecFailed: errno.
  ProgramImagePtr image;                             ///< May be null.
  std::uint64_t run_ns = 0;                          ///< kExit: of all threads, final.
  std::optional<std::uint64_t> wait_ns;              ///< kExit: on run queues, where it is known.
  std::uint64_t lifetime_ns = 0;                     ///< kExit: since fork.
  std::uint64_t lost = 0;
  std::string buffer;
};

}  // namespace sched_exporter
