#include "exporter/app/reloader.h"

#include <spdlog/spdlog.h>

#include <sstream>
#include <vector>

#include "exporter/config/loader.h"

namespace sched_exporter {

Result<Config> ReadConfig(const Options& options) {
  return options.config_file.empty() ? Result<Config>(Config{}) : LoadConfig(options.config_file);
}

void Reloader::Note(bool& outcome, bool successful) {
  const std::lock_guard<std::mutex> lock(outcomes_mutex_);
  outcome = successful;
  collector_.NoteReload(config_is_good_ && web_is_good_);
}

void Reloader::NoteWeb(bool successful) { Note(web_is_good_, successful); }

Result<std::string> Reloader::Reload() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto web = web_.Reload();
  NoteWeb(web.has_value());
  auto config = ReloadConfig();
  if (web) {
    return config;
  }
  return Fail(config ? web.error().message : config.error().message + "\n" + web.error().message);
}

Result<std::string> Reloader::ReloadConfig() {
  const auto config = ReadConfig(options_);
  Note(config_is_good_, config.has_value());
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
