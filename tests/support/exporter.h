#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/metrics_text.h"

namespace sched_exporter::test_support {

/// How a program ended and what it wrote.
struct Ended {
  int exit_code = -1;  ///< 128 + n for signal n.
  std::string output;  ///< Standard output and standard error.
};

/// Runs a program to its end; `argv[0]` is looked up in PATH.
Ended RunProgram(const std::vector<std::string>& argv,
                 std::chrono::seconds timeout = std::chrono::seconds(60));

/// The exporter under test (the real binary) in a process of its own, on a port that
/// the kernel chose.
class Exporter {
 public:
  struct Settings {
    std::string config;                  ///< YAML text; empty: the built-in default.
    std::vector<std::string> arguments;  ///< More flags.
    std::vector<std::string> prefix;     ///< A command in front, e.g. {"unshare", "-m"}.
    /// Passes --allow-second-instance: other exporters may run on this host.
    bool allow_second_instance = true;
    std::string address = "127.0.0.1:0";  ///< Where to serve.
    std::string binary = {};              ///< A copy of it; empty: ExporterBinary().
  };

  /// Starts it and waits until it serves.
  static Result<std::unique_ptr<Exporter>> Start(const Settings& settings);
  static Result<std::unique_ptr<Exporter>> Start() { return Start(Settings{}); }

  /// Ends it with SIGTERM (SIGKILL after 10 s).
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  pid_t pid() const { return pid_; }
  int port() const { return port_; }
  const std::string& config_path() const { return config_path_; }

  /// GET /metrics, parsed.
  Result<MetricsText> Scrape() const;
  /// The text of GET /metrics.
  Result<std::string> ScrapeText() const;

  /// Sends `signal`, waits, and tells how it ended.
  Ended End(int signal);

  /// What it wrote so far.
  std::string Log() const;

 private:
  Exporter() = default;

  pid_t pid_ = -1;
  int port_ = 0;
  std::string directory_;
  std::string config_path_;
  std::string log_path_;
};

/// Path of the binary under test: that of this build, or what SCHED_EXPORTER_BINARY says.
std::string ExporterBinary();

/// True where that one was built with a sanitizer, and is many times slower.
bool IsSanitized();

}  // namespace sched_exporter::test_support
