#include "exporter/app/pages.h"

#include <memory>

#include "exporter/app/landing_page.h"
#include "exporter/app/live_pages.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter {
namespace {

constexpr int kForbidden = 403;
constexpr int kInternalError = 500;
constexpr int kUnavailable = 503;

HttpResponse Plain(int status, const std::string& line) {
  HttpResponse response;
  response.status = status;
  response.body = line + "\n";
  return response;
}

HttpResponse Metrics(Collector& collector, std::string_view accept) {
  auto sample = collector.Collect();
  if (!sample) {
    return Plain(kInternalError, sample.error().message);
  }
  HttpResponse response;
  const TextFormat format = NegotiateFormat(accept);
  response.content_type = ContentTypeOf(format);
  response.compressible = true;
  response.by_accept = true;
  response.body = Serialize(**sample, format);
  return response;
}

LiveParts PartsOf(const LiveBoard& board) {
  return {.top = board.View() != nullptr, .events = board.Events() != nullptr};
}

HttpResponse Reload(Reloader& reloader, bool is_enabled) {
  if (!is_enabled) {
    return Plain(kForbidden, "reload over HTTP is off; --web.enable-lifecycle turns it on");
  }
  const auto reloaded = reloader.Reload();
  return reloaded ? Plain(200, *reloaded)
                  : Plain(kInternalError,
                          "config not reloaded, the old one holds:\n" + reloaded.error().message);
}

HttpResponse Health(const Collector& collector) {
  return collector.IsHealthy() ? Plain(200, "ok")
                               : Plain(kUnavailable, "collections fail or hang; see the log");
}

}  // namespace

std::vector<HttpRoute> MakeRoutes(const Options& options, Collector& collector,
                                  Reloader& reloader) {
  const std::string path = options.telemetry_path;
  const bool reloads = options.enable_lifecycle;
  std::vector<HttpRoute> routes = {
      {path,
       [&collector](const HttpRequest& request) { return Metrics(collector, request.accept); }},
      {"/healthz", [&collector](const HttpRequest&) { return Health(collector); }},
      // We listen only once the programs are attached and the first collection has been made.
      {"/readyz", [&collector](const HttpRequest&) { return Health(collector); }},
      {"/-/reload", [&reloader, reloads](const HttpRequest&) { return Reload(reloader, reloads); },
       HttpMethod::kPost},
  };
  AddLiveRoutes(collector.live(), routes);
  AddLandingRoutes(
      path, [&collector] { return PartsOf(collector.live()); }, routes);
  return routes;
}

}  // namespace sched_exporter
