#include <malloc.h>
#include <pthread.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "exporter/app/collector.h"
#include "exporter/app/explain_command.h"
#include "exporter/app/instance_lock.h"
#include "exporter/app/log.h"
#include "exporter/app/options.h"
#include "exporter/app/pages.h"
#include "exporter/app/privileges.h"
#include "exporter/app/reloader.h"
#include "exporter/app/top_command.h"
#include "exporter/app/top_series_command.h"
#include "exporter/app/version.h"
#include "exporter/http/server.h"

namespace sched_exporter {
namespace {

sigset_t HandledSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  return signals;
}

/// Serves until a signal ends it.
void WaitForEnd(const sigset_t& signals, Reloader& reloader) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) {
      continue;
    }
    if (signal != SIGHUP) {
      spdlog::info("ending on signal {}", signal);
      return;
    }
    // The log has what became of it.
    static_cast<void>(reloader.Reload());
  }
}

int Serve(const Options& options, const Config& config) {
  Result<UniqueFd> lock = UniqueFd();
  if (!options.allow_second_instance) {
    lock = TakeInstanceLock();
    if (!lock) {
      return Fatal(lock.error());
    }
  }
  // All threads inherit the mask; the signals wait for sigwait().
  const sigset_t signals = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  auto collector = Collector::Open(config, options.paths);
  if (!collector) {
    return Fatal(collector.error());
  }
  // Before there are threads: capabilities belong to each of them.
  if (auto dropped = DropPrivileges(); !dropped) {
    return Fatal(dropped.error());
  }
  if (auto started = (*collector)->Start(); !started) {
    return Fatal(started.error());
  }
  Reloader reloader(options, **collector);
  auto server =
      HttpServer::Start(options.listen_address, MakeRoutes(options, **collector, reloader),
                        [](std::string_view line) { spdlog::debug("http: {}", line); });
  if (!server) {
    return Fatal(server.error());
  }
  spdlog::info("sched_exporter {} serves {} on port {}", kVersion, options.telemetry_path,
               (*server)->port());
  WaitForEnd(signals, reloader);
  return EXIT_SUCCESS;
}

int Main(int argc, char** argv) {
  // Threads of the server come and go with arenas of their own otherwise: 44 MB after 600 scrapes
  // instead of 11 MB.
  mallopt(M_ARENA_MAX, 2);
  // What a scrape of a megabyte needed goes back to the kernel after it.
  mallopt(M_MMAP_THRESHOLD, 256 * 1024);
  mallopt(M_TRIM_THRESHOLD, 256 * 1024);
  int exit_code = EXIT_SUCCESS;
  const auto options = ParseOptions(argc, argv, exit_code);
  if (!options) {
    return exit_code;
  }
  SetUpLog(options->log_level, options->log_format);
  if (options->top) {
    return RunTopCommand(*options->top, options->listen_address);
  }
  if (options->top_series) {
    return RunTopSeriesCommand(*options->top_series, options->listen_address,
                               options->telemetry_path);
  }
  const auto config = ReadConfig(*options);
  if (!config) {
    return Fatal(config.error());
  }
  if (options->check_config) {
    std::puts("config is good");
    return EXIT_SUCCESS;
  }
  if (options->explain) {
    return RunExplainCommand(*config, options->paths, *options->explain);
  }
  return options->events ? RunEventsCommand(*config, options->paths, *options->events)
                         : Serve(*options, *config);
}

}  // namespace
}  // namespace sched_exporter

int main(int argc, char** argv) { return sched_exporter::Main(argc, argv); }
