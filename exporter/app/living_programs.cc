#include "exporter/app/living_programs.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <vector>

#include "exporter/identity/living_image.h"
#include "exporter/kernel/task_iterator.h"

namespace sched_exporter {

void NoteLivingPrograms(const Programs& programs, const HostPaths& paths, ProcessBook& book,
                        Naming& naming) {
  std::vector<TaskReading> living;
  std::vector<TaskKey> keys;
  TaskIterator iterator(programs.iterator_link_fd());
  if (auto read = iterator.Read(living, keys); !read) {
    spdlog::warn("files of processes that run already stay unknown: {}", read.error().message);
    return;
  }
  // Parents first: children may have the group of theirs.
  std::stable_sort(living.begin(), living.end(), [](const TaskReading& a, const TaskReading& b) {
    return a.identity.leader_start_ns < b.identity.leader_start_ns;
  });
  for (const TaskReading& task : living) {
    const TaskIdentity& identity = task.identity;
    if (identity.pid == identity.tgid && !identity.kernel_thread) {
      book.Note(identity, ImageOfLiving(identity.pid, paths.procfs));
      naming.GroupOf(identity, nullptr);
    }
  }
}

}  // namespace sched_exporter
