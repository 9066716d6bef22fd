#pragma once

#include <mutex>
#include <string>

#include "exporter/app/collector.h"
#include "exporter/app/options.h"
#include "exporter/app/privileges.h"
#include "exporter/app/web_files.h"
#include "exporter/base/result.h"

namespace sched_exporter {

/// The config that the command line asks for: the file's, or the built-in default.
Result<Config> ReadConfig(const Options& options);

/// Reads the config again while the exporter runs. For any thread.
class Reloader {
 public:
  /// `collector` and `web` are not owned and outlive this. `needs` is what privileges were kept
  /// for.
  Reloader(const Options& options, Collector& collector, WebFiles& web, const LastingNeeds& needs)
      : options_(options), collector_(collector), web_(web), needs_(needs) {}

  /// Gives the collector the config of the file, and the server that of the web config file, or
  /// leaves the one as it is whose file is bad; writes to the log which. Returns a line for the
  /// user, or all findings, one a line.
  Result<std::string> Reload();

  /// Web config files changed and were read again: for the metrics.
  void NoteWeb(bool successful);

 private:
  Result<std::string> Apply(const Result<Config>& config);

  Options options_;
  Collector& collector_;
  WebFiles& web_;
  const LastingNeeds needs_;
  std::mutex mutex_;
  std::mutex outcomes_mutex_;  ///< For the next two.
  bool config_is_good_ = true;
  bool web_is_good_ = true;
};

}  // namespace sched_exporter
