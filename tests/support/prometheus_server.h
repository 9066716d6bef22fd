#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/metrics_text.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// A real Prometheus (Debian's package) that scrapes one target every second.
class PrometheusServer {
 public:
  /// Starts it with storage in a directory of its own and waits until it is ready. `scrape_keys`
  /// are more keys of the scrape config, e.g. "scheme: https", one a line.
  static Result<std::unique_ptr<PrometheusServer>> Start(
      int target_port, const std::vector<std::string>& scrape_keys = {});
  ~PrometheusServer();
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  /// GET on its API, e.g. "/api/v1/targets"; the JSON text.
  Result<std::string> Get(const std::string& path) const;

  /// An instant query at Unix time `time_s`; the JSON text.
  Result<std::string> Query(const std::string& expression, double time_s) const;

  /// Whether its last scrape of the target succeeded, and the reason where not: `health` and
  /// `lastError` of the target.
  Result<std::string> TargetHealth() const;

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
