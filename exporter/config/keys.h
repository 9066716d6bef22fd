#pragma once

#include <string>
#include <vector>

namespace sched_exporter {

/// The dotted path of every key that ParseConfig knows, sections left out, e.g. "collection.walk".
/// Lets a test hold config/default.yml and the docs to the loader.
std::vector<std::string> ConfigKeys();

}  // namespace sched_exporter
