#pragma once

#include <mutex>
#include <string>

#include "exporter/app/collector.h"
#include "exporter/app/options.h"
#include "exporter/base/result.h"

namespace sched_exporter {

/// The config that the command line asks for: the file's, or the built-in default.
Result<Config> ReadConfig(const Options& options);

/// Reads the config again while the exporter runs. For any thread.
class Reloader {
 public:
  /// `collector` is not owned and outlives this.
  Reloader(const Options& options, Collector& collector)
      : options_(options), collector_(collector) {}

  /// Gives the collector the config of the file, or leaves it as it is where the file is bad;
  /// writes to the log which. Returns a line for the user, or all findings, one a line.
  Result<std::string> Reload();

 private:
  Options options_;
  Collector& collector_;
  std::mutex mutex_;
};

}  // namespace sched_exporter
