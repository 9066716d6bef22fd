#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sched_exporter {

/// How the walker reads the hash of tasks.
enum class WalkMethod {
  kAuto,     ///< Batch where the kernel offers it, else next_key.
  kBatch,    ///< BPF_MAP_LOOKUP_BATCH.
  kNextKey,  ///< BPF_MAP_GET_NEXT_KEY and a look-up for each entry.
};

/// Which cgroup hierarchy names the cgroup of a task.
enum class CgroupHierarchy {
  kAuto,     ///< v2 where it is mounted at the cgroup root; else cpuacct, else cpu; else v2.
  kV2,       ///< The unified hierarchy.
  kCpu,      ///< The v1 hierarchy of the cpu controller.
  kCpuacct,  ///< The v1 hierarchy of the cpuacct controller.
};

struct CollectionConfig {
  /// Time between two walks that no scrape asked for. 100 ms to 5 min.
  std::chrono::milliseconds interval{5000};
  WalkMethod walk = WalkMethod::kAuto;
};

struct MapsConfig {
  /// Entries of the LRU hash of tasks. 1 to 4194304. Evicted tasks lose nothing but cost a little
  /// at a walk.
  std::uint32_t tasks = 16384;
  /// Bytes of the ring buffer that carries finished tasks. A power of two, 4096 to 268435456.
  std::uint32_t events_bytes = 1048576;
  /// Entries of the sums by cgroup and comm that take over when the ring buffer is full. 1 to
  /// 65536.
  std::uint32_t sums = 1024;
};

struct LimitsConfig {
  /// Most processes, groups and cgroups with series of their own; the rest is in `other`. 1 to
  /// 100000.
  std::uint32_t processes = 1000;
  std::uint32_t groups = 500;
  std::uint32_t cgroups = 500;
  /// How long a group or cgroup keeps its series after its last process has gone. 0 to 24 h.
  std::chrono::milliseconds dead_series{300000};
};

struct CgroupConfig {
  CgroupHierarchy hierarchy = CgroupHierarchy::kAuto;
};

/// Everything the config file can say. A default-constructed value is the built-in default, and
/// config/default.yml says the same (tests/unit/config_test.cc holds them together).
struct Config {
  CollectionConfig collection;
  MapsConfig maps;
  LimitsConfig limits;
  CgroupConfig cgroup;
};

}  // namespace sched_exporter
