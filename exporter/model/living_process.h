#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// A process that lives, and its threads.
struct LivingProcess {
  std::uint32_t tgid = 0;
  std::vector<std::uint32_t> threads;
};

/// How the kernel stage asks who lives where it can't ask the kernel's own lists.
struct LivingProcesses {
  /// All of them, in no order.
  std::function<std::vector<LivingProcess>()> list;
  /// What is known of the leader of one; none where it is gone.
  std::function<std::optional<TaskIdentity>(std::uint32_t tgid)> describe;
};

}  // namespace sched_exporter
