#include "exporter/app/health_command.h"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "exporter/app/log.h"
#include "exporter/app/running_exporter.h"
#include "exporter/base/result.h"
#include "exporter/http/client.h"

namespace sched_exporter {
namespace {

/// Whoever watches containers gives up sooner or later, too, but without a line that says why.
constexpr std::chrono::seconds kTimeout{5};
constexpr std::size_t kMostBytes = 4096;

}  // namespace

int RunHealthCommand(const std::string& url, const std::string& listen_address) {
  const Result<std::string> source =
      url.empty() ? RunningExporterUrl(listen_address).map([](const std::string& running) {
        return running + "/healthz";
      })
                  : Result<std::string>(url);
  if (!source) {
    return Fatal(source.error());
  }
  if (const auto answer = HttpGet(*source, kTimeout, kMostBytes); !answer) {
    return Fatal(answer.error());
  }
  return std::puts("healthy") >= 0 ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
