#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sched_exporter {

/// What went wrong, in one line that a user can act on: what happened, where, what to do.
struct Error {
  std::string message;
  /// Lines for --log.level=debug, e.g. the verifier's; may be empty.
  std::string details = {};
};

/// A value or the reason why there is none. Nobody may ignore it.
template <typename T>
using Result = tl::expected<T, Error>;

/// A failed Result of any type.
inline tl::unexpected<Error> Fail(std::string message, std::string details = {}) {
  return tl::unexpected<Error>(Error{std::move(message), std::move(details)});
}

/// "`what`: `text of errno`", e.g. "cannot open /proc/stat: Permission denied".
std::string WithErrno(std::string_view what, int error);

/// Why there is no thread (EAGAIN of pthread_create(3)).
inline constexpr char kNoThread[] =
    "no thread can be started; raise the limit on tasks (pids.max of the cgroup, ulimit -u)";

}  // namespace sched_exporter
