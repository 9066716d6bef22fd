#pragma once

#include <cstdint>
#include <functional>

#include "exporter/base/plain.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Names a process: (tgid, start of the leader) stays when a thread calls exec and takes its
/// leader's place, and differs when a pid is used again.
struct ProcessKey {
  std::uint32_t tgid = 0;
  std::uint64_t leader_start_ns = 0;
  bool operator==(const ProcessKey&) const = default;
};

template <>
inline constexpr bool kIsPlain<ProcessKey> = true;

struct ProcessKeyHash {
  std::size_t operator()(const ProcessKey& key) const {
    return std::hash<std::uint64_t>()(key.leader_start_ns * 31 + key.tgid);
  }
};

inline ProcessKey KeyOf(const TaskIdentity& identity) {
  return {identity.tgid, identity.leader_start_ns};
}

inline ProcessKey KeyOf(const EventOrigin& origin) { return {origin.tgid, origin.leader_start_ns}; }

}  // namespace sched_exporter
