#include "exporter/app/reloader.h"

#include <spdlog/spdlog.h>

#include <sstream>
#include <vector>

#include "exporter/config/loader.h"

namespace sched_exporter {

Result<Config> ReadConfig(const Options& options) {
  return options.config_file.empty() ? Result<Config>(Config{}) : LoadConfig(options.config_file);
}

Result<std::string> Reloader::Reload() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto config = ReadConfig(options_);
  collector_.NoteReload(config.has_value());
  if (!config) {
    // All findings come at once; each is an entry of the log.
    std::istringstream findings(config.error().message);
    for (std::string finding; std::getline(findings, finding);) {
      spdlog::error("config not reloaded, the old one holds: {}", finding);
    }
    return tl::unexpected(config.error());
  }
  const std::vector<std::string> waiting = collector_.Reconfigure(*config);
  if (waiting.empty()) {
    spdlog::info("config reloaded");
    return std::string("config reloaded");
  }
  std::string line = "config reloaded";
  for (const std::string& part : waiting) {
    line += "; " + part;
  }
  spdlog::warn("{}", line);
  return line;
}

}  // namespace sched_exporter
