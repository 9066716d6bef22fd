#include "exporter/http/reply.h"

#include <algorithm>
#include <utility>

namespace sched_exporter {
namespace {

// Below one packet there is nothing to save.
constexpr std::size_t kSmallestGzip = 1400;

// Pages have what this server serves and nothing else: no inline script or style, no other host.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A head as it grows. Fields that the user has set are left to him.
struct Head {
  std::string text;
  const HeaderList& of_user;
};

void AddLine(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

void AddHeader(Head& head, std::string_view name, std::string_view value) {
  const auto is_same = [name](const auto& header) { return header.first == name; };
  if (std::none_of(head.of_user.begin(), head.of_user.end(), is_same)) {
    AddLine(head.text, name, value);
  }
}

std::string RenderHead(const HttpResponse& response, std::string_view reason,
                       const ReplyOptions& options, std::size_t body_size, bool gzipped) {
  static const HeaderList kNone;
  Head head{"HTTP/1.1 " + std::to_string(response.status) + " ",
            options.headers ? *options.headers : kNone};
  head.text.append(reason).append("\r\n");
  AddHeader(head, "Content-Type", response.content_type);
  AddHeader(head, "Content-Length", std::to_string(body_size));
  AddHeader(head, "Connection", options.keep_alive ? "keep-alive" : "close");
  AddHeader(head, "Cache-Control", "no-store");
  AddHeader(head, "X-Content-Type-Options", "nosniff");
  if (response.compressible) {
    AddHeader(head, "Vary", response.by_accept ? "Accept, Accept-Encoding" : "Accept-Encoding");
  }
  if (gzipped) AddHeader(head, "Content-Encoding", "gzip");
  if (response.content_type.starts_with("text/html")) {
    AddHeader(head, "Content-Security-Policy", kContentPolicy);
  }
  for (const auto& [name, value] : response.headers) AddHeader(head, name, value);
  for (const auto& [name, value] : head.of_user) AddLine(head.text, name, value);
  return head.text + "\r\n";
}

}  // namespace

HttpResponse TextReply(int status, std::string_view text) {
  HttpResponse response;
  response.status = status;
  response.body = std::string(text) + "\n";
  return response;
}

HttpResponse NotAllowed(HttpMethod method) {
  const bool is_get = method == HttpMethod::kGet;
  HttpResponse response =
      TextReply(405, is_get ? "only GET and HEAD are allowed" : "only POST and PUT are allowed");
  response.headers.emplace_back("Allow", is_get ? "GET, HEAD" : "POST, PUT");
  return response;
}

Reply RenderReply(HttpResponse response, std::string_view reason, const ReplyOptions& options) {
  bool gzipped = false;
  if (options.accepts_gzip && response.compressible && response.body.size() >= kSmallestGzip) {
    if (auto compressed = Gzip(response.body)) {
      response.body = std::move(*compressed);
      gzipped = true;
    }
  }
  Reply reply;
  reply.head = RenderHead(response, reason, options, response.body.size(), gzipped);
  if (!options.head_only) reply.body = std::move(response.body);
  return reply;
}

}  // namespace sched_exporter
