#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "exporter/base/result.h"

namespace sched_exporter {

/// What a file held, and who may read it.
struct SmallFile {
  std::string text;
  mode_t mode = 0;
};

/// Reads the regular file at `path`, at most one byte more than `most_bytes`: enough to refuse it,
/// whatever its size claims to be. `what` names it in errors ("config file").
Result<SmallFile> ReadSmallFile(const std::string& path, const std::string& what,
                                std::size_t most_bytes);

}  // namespace sched_exporter
