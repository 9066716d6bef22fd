#include "exporter/app/landing_page.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "exporter/app/version.h"
#include "exporter/live/assets.h"

namespace sched_exporter {
namespace {

constexpr std::string_view kHtml = ".html";

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

HttpRoute Page(const std::string& path, std::string_view name, std::string body) {
  return {path, [type = ContentTypeOf(name), body = std::move(body)](const HttpRequest&) {
            HttpResponse response;
            response.content_type = type;
            response.body = body;
            response.compressible = true;
            return response;
          }};
}

}  // namespace

std::vector<HttpRoute> LandingRoutes(const std::string& telemetry_path, LiveParts parts) {
  const std::string_view name = parts.top ? "index.html" : "landing.html";
  std::vector<HttpRoute> routes;
  routes.push_back(Page("/", name,
                        Fill(BodyOf(name), {{"version", EscapeHtml(kVersion)},
                                            {"telemetry_path", EscapeHtml(telemetry_path)},
                                            {"events", parts.events ? "on" : "off"}})));
  for (const Asset& asset : LiveAssets()) {
    if (asset.name.ends_with(kHtml)) continue;
    routes.push_back(
        Page("/assets/" + std::string(asset.name), asset.name, std::string(asset.body)));
  }
  return routes;
}

}  // namespace sched_exporter
