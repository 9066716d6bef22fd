#include "exporter/app/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "exporter/app/version.h"

namespace sched_exporter {
namespace {

/// Exit code for a command line that can't be understood, as getopt programs have it.
constexpr int kUsageError = 2;

std::string CheckPath(const std::string& path) {
  if (path.size() < 2 || path[0] != '/' ||
      path.find_first_of(" \t\r\n?#\"<>") != std::string::npos) {
    return "expected a path like /metrics, got \"" + path + "\"";
  }
  if (path == "/healthz" || path == "/readyz") {
    return "the path " + path + " is taken";
  }
  return {};
}

/// As in the label `cgroup`: from the root of the hierarchy, without a slash at the end.
std::string CheckCgroup(const std::string& path) {
  const bool is_path = path.starts_with('/') && (path.size() == 1 || !path.ends_with('/'));
  return is_path ? "" : "expected a path like /system.slice, got \"" + path + "\"";
}

}  // namespace

std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app("Prometheus exporter for the CPU time, execs and exits of processes, exact, by BPF.",
               "sched_exporter");
  app.add_option("--config.file", options.config_file,
                 "YAML file; without it the built-in defaults hold")
      ->type_name("FILE");
  app.add_option("--web.listen-address", options.listen_address,
                 "Where to serve: host:port or :port")
      ->type_name("ADDRESS")
      ->capture_default_str();
  app.add_option("--web.telemetry-path", options.telemetry_path, "Path of the metrics")
      ->type_name("PATH")
      ->capture_default_str()
      ->check(CheckPath);
  app.add_option("--log.level", options.log_level, "debug, info, warn or error")
      ->type_name("LEVEL")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_option("--log.format", options.log_format, "logfmt or json")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->check(CLI::IsMember({"logfmt", "json"}));
  app.add_flag("--config.check", options.check_config, "Check the config file and exit");
  app.add_flag("--allow-second-instance", options.allow_second_instance,
               "Start although another sched_exporter runs here");
  CLI::App* events = app.add_subcommand(
      "events", "Print execs, exits and OOM kills as they happen; needs no running exporter");
  EventsFilter filter;
  events->add_option("--group", filter.group, "Only of this group")->type_name("NAME");
  events->add_option("--cgroup", filter.cgroup, "Only of this cgroup and those below it")
      ->type_name("PATH")
      ->check(CheckCgroup);
  events->add_flag("--failed", filter.failed,
                   "Only failed execs, exits other than with 0, and OOM kills");
  events->add_flag("--arguments", filter.arguments, "With command lines, which may hold secrets");
  app.set_version_flag("--version", std::string("sched_exporter ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    exit_code = app.exit(success);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "sched_exporter: %s; see --help\n", error.what());
    exit_code = kUsageError;
    return std::nullopt;
  }
  if (events->parsed()) {
    options.events = filter;
  }
  return options;
}

}  // namespace sched_exporter
