#pragma once

#include <civetweb.h>

#include <chrono>
#include <string_view>

namespace sched_exporter {

/// The value of the first field of that name; empty where there is none.
std::string_view HeaderOf(const mg_connection* connection, const char* name);

/// What the fields of a request say about its body.
enum class RequestBody {
  kNone,
  kSome,
  kUnclear,  ///< Where it ends is not to be known: who reads it in another way sees other requests.
};

RequestBody BodyOf(const mg_request_info& request);

/// Whether another request may follow on a connection of this age: the client wishes it, and it is
/// clear where the next one begins. Must not say yes where should_keep_alive() of civetweb says no,
/// or the header would lie.
bool MayKeepAlive(const mg_request_info& request, std::chrono::steady_clock::duration age);

}  // namespace sched_exporter
