#pragma once

#include <cstdint>
#include <map>

#include "exporter/model/lifetimes.h"

namespace sched_exporter {

/// How a process ended, in one number: 0 to 255 is the argument of exit(), kSignalBase + n the
/// signal n that killed it.
using ExitCode = std::uint32_t;
inline constexpr ExitCode kSignalBase = 256;

/// Stands for all codes, or errnos, that have no series of their own.
inline constexpr std::uint32_t kOtherCode = 0xFFFFFFFF;

/// What happened in the lives of processes: in a group, in a cgroup, or to be added to one. Every
/// field only grows.
struct Lifecycle {
  std::uint64_t execs = 0;          ///< That succeeded.
  std::uint64_t forks = 0;          ///< New processes, by the one that called fork.
  std::uint64_t thread_starts = 0;  ///< New threads of a process that was there.
  std::uint64_t oom_kills = 0;
  std::map<ExitCode, std::uint64_t> exits;  ///< Of processes, when the last thread goes.
  std::map<std::uint32_t, std::uint64_t> exec_failures;  ///< By errno.
  Lifetimes lifetimes;                                   ///< Of the processes in `exits`.

  template <typename Archive>
  void serialize(Archive& archive) {
    archive(execs, forks, thread_starts, oom_kills, exits, exec_failures, lifetimes);
  }

  Lifecycle& operator+=(const Lifecycle& other) {
    execs += other.execs;
    forks += other.forks;
    thread_starts += other.thread_starts;
    oom_kills += other.oom_kills;
    for (const auto& [code, count] : other.exits) {
      exits[code] += count;
    }
    for (const auto& [error, count] : other.exec_failures) {
      exec_failures[error] += count;
    }
    lifetimes += other.lifetimes;
    return *this;
  }
};

}  // namespace sched_exporter
