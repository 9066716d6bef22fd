#include "exporter/app/reloader.h"

#include <spdlog/spdlog.h>

#include <vector>

#include "exporter/app/from_config.h"
#include "exporter/app/log.h"
#include "exporter/config/loader.h"

namespace sched_exporter {

Result<Config> ReadConfig(const Options& options) {
  return options.config_file.empty() ? Result<Config>(Config{}) : LoadConfig(options.config_file);
}

void Reloader::NoteWeb(bool successful) {
  const std::lock_guard<std::mutex> lock(outcomes_mutex_);
  web_is_good_ = successful;
  collector_.NoteReload(config_is_good_ && web_is_good_);
}

Result<std::string> Reloader::Reload() {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto web = web_.Reload();
  const auto config = ReadConfig(options_);
  {
    const std::lock_guard<std::mutex> outcomes_lock(outcomes_mutex_);
    config_is_good_ = config.has_value();
    web_is_good_ = web.has_value();
    collector_.NoteReload(config_is_good_ && web_is_good_);
  }
  auto applied = Apply(config);
  if (web) {
    return applied;
  }
  return Fail(applied ? web.error().message : applied.error().message + "\n" + web.error().message);
}

Result<std::string> Reloader::Apply(const Result<Config>& config) {
  if (!config) {
    LogNotReloaded("config", config.error());
    return tl::unexpected(config.error());
  }
  std::vector<std::string> waiting = collector_.Reconfigure(*config);
  if (ReadsForeignExes(*config) && !needs_.foreign_exes) {
    waiting.emplace_back(
        "the label exe was omitted at the start, and the right to read it of other users' "
        "processes "
        "given up; it is there after a restart");
  }
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
