#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "exporter/http/server.h"

namespace sched_exporter {

/// What of a request decides how an answer is written.
struct ReplyOptions {
  bool accepts_gzip = false;
  bool keep_alive = false;
  bool head_only = false;  ///< HEAD: all headers, with the length of the body, but no body.
  std::shared_ptr<const HeaderList> headers = nullptr;  ///< Added, in place of the server's own.
};

/// A plain page with a reason, as 404 and 500 use it.
HttpResponse TextReply(int status, std::string_view text);

/// 405: the page wants another method.
HttpResponse NotAllowed(HttpMethod method);

/// The bytes of an answer. In two parts, as joining them would copy megabytes.
struct Reply {
  std::string head;
  std::string body;
};

/// Writes the head and compresses the body where client and page allow it. `reason` is the text of
/// the status ("OK").
Reply RenderReply(HttpResponse response, std::string_view reason, const ReplyOptions& options);

}  // namespace sched_exporter
