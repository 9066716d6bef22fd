#pragma once

#include <string_view>

#include "exporter/rules/process_facts.h"

namespace sched_exporter {

/// The last part of `path` as Go's filepath.Base() has it: slashes at the end don't count, a path
/// of slashes alone is "/", and an empty one ".".
inline std::string_view BaseOf(std::string_view path) {
  if (path.empty()) {
    return ".";
  }
  const std::size_t last = path.find_last_not_of('/');
  if (last == std::string_view::npos) {
    return "/";
  }
  path = path.substr(0, last + 1);
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0.
}

/// argv[0], or the name of a process without arguments.
inline std::string_view ExeFullOf(const ProcessFacts& facts) {
  return facts.arguments.empty() ? facts.comm : facts.arguments[0];
}

/// The last part of argv[0], or the whole name of a process without arguments.
inline std::string_view ExeBaseOf(const ProcessFacts& facts) {
  return facts.arguments.empty() ? std::string_view(facts.comm) : BaseOf(facts.arguments[0]);
}

}  // namespace sched_exporter
