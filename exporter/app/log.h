#pragma once

#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Sets up spdlog's default logger: one line an entry on stderr, as logfmt
/// (`time=… level=info msg="…"`) or as JSON objects. `level` is debug, info, warn or error,
/// `format` logfmt or json; both were checked by the command line.
void SetUpLog(const std::string& level, const std::string& format);

/// `text` inside double quotes, escaped as JSON wants it (RFC 8259); valid in logfmt, too.
std::string Quote(std::string_view text);

/// Logs why a file was not taken at a reload: all findings come at once, a line each, and each is
/// an entry. `what` is "config" or "web config".
void LogNotReloaded(std::string_view what, const Error& error);

/// Tells why the program ends, on stderr and not through the log: whoever starts a program by hand
/// reads its last line. Returns the exit code.
int Fatal(const Error& error);

}  // namespace sched_exporter
