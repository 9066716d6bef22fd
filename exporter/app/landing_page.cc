#include "exporter/app/landing_page.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "exporter/app/version.h"
#include "exporter/live/assets.h"

namespace sched_exporter {
namespace {

std::string ContentTypeOf(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "text/html; charset=utf-8";
}

std::string_view BodyOf(std::string_view name) {
  for (const Asset& asset : LiveAssets()) {
    if (asset.name == name) return asset.body;
  }
  return {};
}

/// `page` with each "{{name}}" replaced by its value.
std::string Fill(std::string_view page,
                 std::initializer_list<std::pair<std::string_view, std::string>> values) {
  std::string text(page);
  for (const auto& [name, value] : values) {
    const std::string mark = "{{" + std::string(name) + "}}";
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

HttpResponse FileReply(std::string_view name, std::string body) {
  HttpResponse response;
  response.content_type = ContentTypeOf(name);
  response.body = std::move(body);
  response.compressible = true;
  return response;
}

HttpResponse Landing(const std::string& telemetry_path, LiveParts parts) {
  const std::string_view name = parts.top ? "index.html" : "landing.html";
  return FileReply(name, Fill(BodyOf(name), {{"version", EscapeHtml(kVersion)},
                                             {"telemetry_path", EscapeHtml(telemetry_path)},
                                             {"events", parts.events ? "on" : "off"}}));
}

}  // namespace

void AddLandingRoutes(const std::string& telemetry_path, std::function<LiveParts()> parts,
                      std::vector<HttpRoute>& routes) {
  routes.push_back({"/", [telemetry_path, parts = std::move(parts)](const HttpRequest&) {
                      return Landing(telemetry_path, parts());
                    }});
  for (const Asset& asset : LiveAssets()) {
    if (asset.name.ends_with(".html")) continue;
    routes.push_back({"/assets/" + std::string(asset.name), [asset](const HttpRequest&) {
                        return FileReply(asset.name, std::string(asset.body));
                      }});
  }
}

}  // namespace sched_exporter
