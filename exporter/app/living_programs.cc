#include "exporter/app/living_programs.h"

#include <spdlog/spdlog.h>

#include <vector>

#include "exporter/identity/living_image.h"
#include "exporter/kernel/task_iterator.h"

namespace sched_exporter {

void NoteLivingPrograms(const Programs& programs, ProcessBook& book) {
  std::vector<TaskReading> living;
  std::vector<TaskKey> keys;
  TaskIterator iterator(programs.iterator_link_fd());
  if (auto read = iterator.Read(living, keys); !read) {
    spdlog::warn("files of processes that run already stay unknown: {}", read.error().message);
    return;
  }
  for (const TaskReading& task : living) {
    const TaskIdentity& identity = task.identity;
    if (identity.pid == identity.tgid && !identity.kernel_thread) {
      book.Note(identity, ImageOfLiving(identity.pid));
    }
  }
}

}  // namespace sched_exporter
