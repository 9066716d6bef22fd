#pragma once

#include <optional>
#include <string>

#include "exporter/app/events_command.h"
#include "exporter/app/top_command.h"
#include "exporter/app/top_series_command.h"
#include "exporter/identity/host_paths.h"

namespace sched_exporter {

/// The command line.
struct Options {
  std::string config_file;  ///< Empty: the built-in default.
  std::string listen_address = ":10140";
  std::string telemetry_path = "/metrics";
  HostPaths paths;
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::optional<EventsFilter> events;          ///< The subcommand of that name, as the next.
  std::optional<std::string> explain;          ///< The PID, as it was written.
  std::optional<TopSeriesRequest> top_series;  ///< An empty source: the running exporter.
  std::optional<TopRequest> top;
  bool enable_lifecycle = false;  ///< POST /-/reload.
  bool check_config = false;
  bool allow_second_instance = false;
};

/// Parses the command line. Where the program has nothing more to do (--help, --version, an
/// error), prints that and sets `exit_code`.
std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code);

}  // namespace sched_exporter
