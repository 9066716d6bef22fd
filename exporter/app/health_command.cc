#include "exporter/app/health_command.h"

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include "exporter/app/log.h"
#include "exporter/http/client.h"

namespace sched_exporter {
namespace {

/// Whoever watches containers gives up sooner or later, too, but without a line that says why.
constexpr std::chrono::seconds kHealthTimeout{5};
constexpr std::size_t kHealthBytes = 4096;

}  // namespace

int RunHealthCommand(const HealthRequest& request, const RunningHere& here) {
  const auto target = request.url.empty() ? TargetHere(here, "/healthz", request.web)
                                          : TargetAt(request.url, request.web);
  if (!target) {
    return Fatal(target.error());
  }
  if (const auto answer = HttpGet(target->url, kHealthTimeout, kHealthBytes, target->options);
      !answer) {
    return Fatal(answer.error());
  }
  return std::puts("healthy") >= 0 ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
