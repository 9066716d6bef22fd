#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exporter/app/events_command.h"
#include "exporter/app/health_command.h"
#include "exporter/app/probe_command.h"
#include "exporter/app/top_command.h"
#include "exporter/app/top_series_command.h"
#include "exporter/identity/host_paths.h"
#include "exporter/kernel/bpf_choice.h"

namespace sched_exporter {

/// The command line.
struct Options {
  std::string config_file;  ///< Empty: the built-in default.
  /// Not empty. At the first, commands look for the running exporter.
  std::vector<std::string> listen_addresses = {":10140"};
  std::string web_config_file;  ///< Empty: no TLS, no passwords.
  std::string telemetry_path = "/metrics";
  HostPaths paths;
  BpfChoice bpf;
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::optional<EventsFilter> events;          ///< The subcommand of that name, as the next.
  std::optional<std::string> explain;          ///< The PID, as it was written.
  std::optional<TopSeriesRequest> top_series;  ///< An empty source: the running exporter.
  std::optional<TopRequest> top;
  std::optional<HealthRequest> health;
  bool detach = false;
  std::optional<ProbeRequest> probe;
  bool enable_lifecycle = false;  ///< POST /-/reload.
  bool check_config = false;
  bool allow_second_instance = false;
};

/// Parses the command line. Where the program has nothing more to do (--help, --version, an
/// error), prints that and sets `exit_code`.
std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code);

}  // namespace sched_exporter
