#include "exporter/app/options.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>

#include "exporter/app/live_pages.h"
#include "exporter/app/terminal_text.h"
#include "exporter/app/version.h"
#include "exporter/app/web_client.h"
#include "exporter/live/top_query.h"

namespace sched_exporter {
namespace {

/// Exit code for a command line that can't be understood, as getopt programs have it.
constexpr int kUsageError = 2;

std::string CheckPath(const std::string& path) {
  if (path.size() < 2 || path[0] != '/' ||
      path.find_first_of(" \t\r\n?#\"<>") != std::string::npos) {
    return "expected a path like /metrics, got \"" + path + "\"";
  }
  if (path == "/healthz" || path == "/readyz" || path == "/-/reload" || path == kTopPath ||
      path == kEventsPath || path.starts_with("/assets/")) {
    return "the path " + path + " is taken";
  }
  return {};
}

/// Takes slashes at the end away.
std::string CheckDirectory(std::string& path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  std::error_code error;
  return path.starts_with('/') && std::filesystem::is_directory(path, error)
             ? ""
             : "expected an absolute path of a directory, got \"" + path + "\"";
}

/// Another directory would go unnoticed: processes would have no programs.
std::string CheckProcfs(std::string& path) {
  if (std::string refusal = CheckDirectory(path); !refusal.empty()) {
    return refusal;
  }
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == PROC_SUPER_MAGIC
             ? ""
             : "no procfs is mounted at \"" + path + "\"";
}

/// As in the label `cgroup`: from the root of the hierarchy, without a slash at the end.
std::string CheckCgroup(const std::string& path) {
  const bool is_path = path.starts_with('/') && (path.size() == 1 || !path.ends_with('/'));
  return is_path ? "" : "expected a path like /system.slice, got \"" + path + "\"";
}

CLI::App* AddEvents(CLI::App& app, EventsFilter& filter) {
  CLI::App* const events = app.add_subcommand(
      "events", "Print execs, exits and OOM kills as they happen; needs no running exporter");
  events->add_option("--group", filter.group, "Only of this group")->type_name("NAME");
  events->add_option("--cgroup", filter.cgroup, "Only of this cgroup and those below it")
      ->type_name("PATH")
      ->check(CheckCgroup);
  events->add_flag("--failed", filter.failed,
                   "Only failed execs, exits other than with 0, and OOM kills");
  events->add_flag("--arguments", filter.arguments, "With command lines, which may hold secrets");
  return events;
}

CLI::App* AddExplain(CLI::App& app, std::string& pid) {
  CLI::App* const explain =
      app.add_subcommand("explain", "Print which group and which series a process is in, and why");
  explain->add_option("PID", pid, "Of a living process")->type_name("")->required();
  return explain;
}

CLI::App* AddTop(CLI::App& app, TopRequest& request) {
  CLI::App* const top =
      app.add_subcommand("top", "Show who uses CPU, waits and starts now, from a running exporter");
  top->add_option("URL", request.url,
                  "http[s]://HOST:PORT of an exporter; without it the one that runs here")
      ->type_name("");
  top->add_option("--view", request.view, "group, cgroup or process")
      ->type_name("VIEW")
      ->capture_default_str()
      ->check(CLI::IsMember({"group", "cgroup", "process"}));
  top->add_option(
         "--sort", request.sort,
         "cpu, wait, starts (not of processes), switches, threads, latency (of cgroups) or name")
      ->type_name("KEY")
      ->capture_default_str()
      ->check(CLI::IsMember({"cpu", "wait", "starts", "switches", "threads", "latency", "name"}));
  top->add_option("--count", request.count, "Rows; without it as many as fit")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, kMostTopRows));
  top->add_flag("--once", request.once, "Print once, as where the output is no terminal");
  AddWebClientFlags(*top, request.web);
  top->final_callback([&request] {
    if (request.view == "process" && request.sort == "starts") {
      throw CLI::ValidationError("--sort", "starts are counted for groups and cgroups only");
    }
    if (request.view != "cgroup" && request.sort == "latency") {
      throw CLI::ValidationError("--sort", "latency is known of cgroups only");
    }
  });
  return top;
}

CLI::App* AddTopSeries(CLI::App& app, TopSeriesRequest& request) {
  CLI::App* const top_series = app.add_subcommand(
      "top-series", "Print which families and label values make most series of a scrape");
  top_series
      ->add_option("SOURCE", request.source,
                   "A file, http[s]://HOST:PORT/PATH, or - for standard input; without it the "
                   "exporter that runs here")
      ->type_name("");
  top_series
      ->add_option("--count", request.count, "How many families, and half as many of each label")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  AddWebClientFlags(*top_series, request.web);
  return top_series;
}

CLI::App* AddHealth(CLI::App& app, HealthRequest& request) {
  CLI::App* const health = app.add_subcommand(
      "health", "Ask a running exporter whether it is healthy: exit code 0 or 1");
  health
      ->add_option("URL", request.url,
                   "http[s]://HOST:PORT/healthz; without it of the exporter that runs here")
      ->type_name("");
  AddWebClientFlags(*health, request.web);
  return health;
}

CLI::App* AddProbe(CLI::App& app, ProbeRequest& request) {
  CLI::App* const probe = app.add_subcommand(
      "probe", "Print what this kernel offers, and what follows: exit code 0 or 1");
  probe->add_option("--format", request.format, "text or json")
      ->type_name("FORMAT")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "json"}));
  return probe;
}

}  // namespace

std::optional<Options> ParseOptions(int argc, char** argv, int& exit_code) {
  Options options;
  CLI::App app("Prometheus exporter for the CPU time, execs and exits of processes, exact, by BPF.",
               "sched_exporter");
  app.add_option("--config.file", options.config_file,
                 "YAML file; without it the built-in defaults hold")
      ->type_name("FILE");
  app.add_option("--web.listen-address", options.listen_addresses,
                 "Where to serve: host:port or :port; may be given repeatedly")
      ->type_name("ADDRESS")
      ->default_str(options.listen_addresses.front())
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  app.add_option("--web.config.file", options.web_config_file,
                 "YAML file for TLS and passwords, as exporter-toolkit has it")
      ->type_name("FILE");
  app.add_option("--web.telemetry-path", options.telemetry_path, "Path of the metrics")
      ->type_name("PATH")
      ->capture_default_str()
      ->check(CheckPath);
  app.add_flag("--web.enable-lifecycle", options.enable_lifecycle,
               "Reload the config on POST /-/reload");
  app.add_option("--path.procfs", options.paths.procfs, "Where procfs is mounted")
      ->type_name("DIR")
      ->capture_default_str()
      ->transform(CLI::Validator(CheckProcfs, ""));
  app.add_option("--path.cgroupfs", options.paths.cgroupfs,
                 "Where the host's cgroups are mounted; without it they are looked for")
      ->type_name("DIR")
      ->transform(CLI::Validator(CheckDirectory, ""));
  app.add_option("--path.rootfs", options.paths.rootfs, "Where the host's root is mounted")
      ->type_name("DIR")
      ->transform(CLI::Validator(CheckDirectory, ""));
  app.add_option("--bpf.mode", options.bpf.mode,
                 "auto, full, or portable as for kernels without BTF")
      ->type_name("MODE")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "full", "portable"}));
  app.add_option("--bpf.btf-path", options.bpf.btf_path,
                 "The kernel's BTF, where it has none: CPU time is exact in portable mode, too")
      ->type_name("FILE");
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
  EventsFilter filter;
  const CLI::App* const events = AddEvents(app, filter);
  std::string pid;
  const CLI::App* const explain = AddExplain(app, pid);
  TopRequest top_request;
  const CLI::App* const top = AddTop(app, top_request);
  TopSeriesRequest request;
  const CLI::App* const top_series = AddTopSeries(app, request);
  HealthRequest health_request;
  const CLI::App* const health = AddHealth(app, health_request);
  const CLI::App* const detach = app.add_subcommand(
      "detach", "Remove what an exporter with persistence has left in the kernel");
  ProbeRequest probe_request;
  const CLI::App* const probe = AddProbe(app, probe_request);
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", std::string("sched_exporter ") + kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    exit_code = app.exit(success);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "sched_exporter: %s; see --help\n", TerminalLines(error.what()).c_str());
    exit_code = kUsageError;
    return std::nullopt;
  }
  if (options.paths.rootfs == "/") {
    options.paths.rootfs.clear();
  }
  if (events->parsed()) {
    options.events = filter;
  }
  if (explain->parsed()) {
    options.explain = pid;
  }
  if (top->parsed()) {
    options.top = top_request;
  }
  if (top_series->parsed()) {
    options.top_series = request;
  }
  if (health->parsed()) {
    options.health = health_request;
  }
  options.detach = detach->parsed();
  if (probe->parsed()) {
    options.probe = probe_request;
  }
  return options;
}

}  // namespace sched_exporter
