#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "exporter/base/result.h"
#include "tests/support/metrics_text.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// A real Prometheus (Debian's package) that scrapes one target every second, or as it is told.
class PrometheusServer {
 public:
  /// Starts it with storage in a directory of its own and waits until it is ready.
  static Result<std::unique_ptr<PrometheusServer>> Start(int target_port);

  /// The same with the text of a config file.
  static Result<std::unique_ptr<PrometheusServer>> StartWithConfig(const std::string& text);
  ~PrometheusServer();
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  /// GET on its API, e.g. "/api/v1/targets"; the JSON text.
  Result<std::string> Get(const std::string& path) const;

  /// An instant query at Unix time `time_s`; the JSON text.
  Result<std::string> Query(const std::string& expression, double time_s) const;

  /// The values that `label` has in the series of a selector; the JSON text.
  Result<std::string> LabelValues(const std::string& selector, const std::string& label) const;

  /// Its own metrics.
  Result<MetricsText> OwnMetrics() const;

  std::string Log() const;

 private:
  PrometheusServer() = default;

  TempDirectory directory_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace sched_exporter::test_support
