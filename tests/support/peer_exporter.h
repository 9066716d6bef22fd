#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// Debian's prometheus-process-exporter.
class PeerExporter {
 public:
  /// Starts it with a config file's text and more flags, and waits until it serves.
  static Result<std::unique_ptr<PeerExporter>> Start(const std::string& config,
                                                     const std::vector<std::string>& flags = {
                                                         "-threads=false", "-gather-smaps=false"});
  ~PeerExporter();
  PeerExporter(const PeerExporter&) = delete;
  PeerExporter& operator=(const PeerExporter&) = delete;

  pid_t pid() const { return pid_; }
  int port() const { return port_; }

  /// How many processes each of its groups has now; none that has 0.
  Result<std::map<std::string, int>> Processes() const;

 private:
  PeerExporter() = default;

  TempDirectory directory_;
  pid_t pid_ = -1;
  int port_ = 0;
};

}  // namespace sched_exporter::test_support
