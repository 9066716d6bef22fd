#include <malloc.h>
#include <pthread.h>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>

#include "exporter/app/collector.h"
#include "exporter/app/detach_command.h"
#include "exporter/app/explain_command.h"
#include "exporter/app/from_config.h"
#include "exporter/app/health_command.h"
#include "exporter/app/instance_lock.h"
#include "exporter/app/log.h"
#include "exporter/app/options.h"
#include "exporter/app/pages.h"
#include "exporter/app/privileges.h"
#include "exporter/app/probe_command.h"
#include "exporter/app/reloader.h"
#include "exporter/app/syscall_filter.h"
#include "exporter/app/top_command.h"
#include "exporter/app/top_series_command.h"
#include "exporter/app/version.h"
#include "exporter/app/web_files.h"
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

Result<void> CheckWebFiles(const Options& options) {
  return options.web_config_file.empty()
             ? Result<void>()
             : ReadWebFiles(options.web_config_file).settings.map([](const WebSettings&) {});
}

int Serve(const Options& options, const Config& config) {
  // A mistake shows before anything is attached.
  if (const auto web = CheckWebFiles(options); !web) {
    return Fatal(web.error());
  }
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
  auto collector = Collector::Open(config, options.paths, options.bpf);
  if (!collector) {
    return Fatal(collector.error());
  }
  // Before there are threads: capabilities belong to each of them.
  const LastingNeeds needs{ReadsForeignExes(config), HasLowPort(options.listen_addresses)};
  if (auto dropped = DropPrivileges(needs); !dropped) {
    return Fatal(dropped.error());
  }
  if (auto started = (*collector)->Start(); !started) {
    return Fatal(started.error());
  }
  // With the rights that it will be read again with.
  const auto web = WebFiles::Open(options.web_config_file);
  if (!web) {
    return Fatal(web.error());
  }
  Reloader reloader(options, **collector, **web, needs);
  (*web)->Tell([&reloader](bool successful) { reloader.NoteWeb(successful); });
  auto server = HttpServer::Start(
      {options.listen_addresses, [](std::string_view line) { spdlog::debug("http: {}", line); },
       (*web)->guard()},
      MakeRoutes(options, **collector, reloader));
  if (!server) {
    return Fatal(server.error());
  }
  // After whatever the start alone needs; it reaches the threads that are there.
  if (auto filtered = FilterSystemCalls(); !filtered) {
    return Fatal(filtered.error());
  }
  spdlog::info("sched_exporter {} serves {} on port {}{}", kVersion, options.telemetry_path,
               fmt::join((*server)->ports(), " and "), (*web)->guard()->has_tls() ? " by TLS" : "");
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
  const RunningHere here{options->listen_addresses.front(), options->web_config_file};
  if (options->top) {
    return RunTopCommand(*options->top, here);
  }
  if (options->top_series) {
    return RunTopSeriesCommand(*options->top_series, here, options->telemetry_path);
  }
  if (options->health) {
    return RunHealthCommand(*options->health, here);
  }
  const auto config = ReadConfig(*options);
  if (!config) {
    return Fatal(config.error());
  }
  if (options->check_config) {
    if (const auto web = CheckWebFiles(*options); !web) {
      return Fatal(web.error());
    }
    std::puts("config is good");
    return EXIT_SUCCESS;
  }
  RaisePermittedCapabilities();
  if (options->detach) {
    return RunDetachCommand(config->persistence);
  }
  if (options->explain) {
    return RunExplainCommand(*config, options->paths, *options->explain);
  }
  if (options->probe) {
    return RunProbeCommand(*config, options->paths, *options->probe);
  }
  return options->events ? RunEventsCommand(*config, options->paths, *options->events)
                         : Serve(*options, *config);
}

}  // namespace
}  // namespace sched_exporter

// What libraries throw where nobody expects it: no thread to be had, out of memory.
int main(int argc, char** argv) try {
  return sched_exporter::Main(argc, argv);
} catch (const std::system_error& error) {
  const bool lacks_threads = error.code() == std::errc::resource_unavailable_try_again;
  std::fprintf(stderr, "sched_exporter: %s%s\n", lacks_threads ? "" : "cannot go on: ",
               lacks_threads ? sched_exporter::kNoThread : error.what());
  return EXIT_FAILURE;
} catch (const std::bad_alloc&) {
  std::fputs("sched_exporter: out of memory; raise the memory limit\n", stderr);
  return EXIT_FAILURE;
} catch (const std::exception& error) {
  std::fprintf(stderr, "sched_exporter: cannot go on: %s\n", error.what());
  return EXIT_FAILURE;
}
