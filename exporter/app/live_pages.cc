#include "exporter/app/live_pages.h"

#include <memory>
#include <string>
#include <utility>

#include "exporter/events/json_line.h"
#include "exporter/live/json_text.h"
#include "exporter/live/top_json.h"
#include "exporter/live/top_query.h"

namespace sched_exporter {
namespace {

constexpr int kOk = 200;
constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;

HttpResponse JsonReply(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.compressible = true;
  response.body = std::move(body);
  return response;
}

HttpResponse AnswerTop(const LiveBoard& board, const HttpRequest& request) {
  const std::shared_ptr<const LiveView> view = board.View();
  if (view == nullptr) {
    return JsonReply(kNotFound, ErrorJson("live.top is off in the config"));
  }
  const auto query = ParseTopQuery(request.query);
  return query ? JsonReply(kOk, TopJson(*view, *query))
               : JsonReply(kBadRequest, ErrorJson(query.error().message));
}

std::string EventsJson(const RecentEvents& recent, std::size_t count) {
  const RecentEvents::Some some = recent.Last(count);
  JsonText json;
  json.BeginObject().Key("events").BeginArray();
  for (const auto& event : some.events) {
    std::string line = JsonLine(*event, recent.arguments());
    line.pop_back();  // the end of the line
    json.Raw(line);
  }
  json.EndArray().Key("lost").Integer(some.lost).EndObject();
  return json.Take() + "\n";
}

HttpResponse Events(const LiveBoard& board, const HttpRequest& request) {
  const std::shared_ptr<RecentEvents> recent = board.Events();
  if (recent == nullptr) {
    return JsonReply(kNotFound, ErrorJson("live.events is off in the config"));
  }
  const auto count = ParseEventsQuery(request.query);
  return count ? JsonReply(kOk, EventsJson(*recent, *count))
               : JsonReply(kBadRequest, ErrorJson(count.error().message));
}

}  // namespace

void AddLiveRoutes(const LiveBoard& board, std::vector<HttpRoute>& routes) {
  routes.push_back(
      {kTopPath, [&board](const HttpRequest& request) { return AnswerTop(board, request); }});
  routes.push_back(
      {kEventsPath, [&board](const HttpRequest& request) { return Events(board, request); }});
}

}  // namespace sched_exporter
