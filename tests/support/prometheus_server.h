#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/metrics_text.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// A real Prometheus (Debian's package) that scrapes targets every second, or as it is told.
class PrometheusServer {
 public:
  using Keys = std::vector<std::string>;

  /// Starts it with storage in a directory of its own and waits until it is ready. `jobs` have a
  /// port on 127.0.0.1 each; `keys` are more of their scrape configs, e.g. "scheme: https".
  static Result<std::unique_ptr<PrometheusServer>> Start(const std::map<std::string, int>& jobs,
                                                         const Keys& keys = {});
  /// The same with one job, "sched".
  static Result<std::unique_ptr<PrometheusServer>> Start(int target_port, const Keys& keys = {}) {
    return Start({{"sched", target_port}}, keys);
  }
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
