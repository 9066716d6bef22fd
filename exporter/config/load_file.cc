#include "exporter/config/loader.h"
#include "exporter/config/small_file.h"

namespace sched_exporter {

Result<Config> LoadConfig(const std::string& path) {
  return ReadSmallFile(path, "config file", kMaxConfigBytes)
      .and_then([&path](const SmallFile& file) { return ParseConfig(file.text, path); });
}

}  // namespace sched_exporter
