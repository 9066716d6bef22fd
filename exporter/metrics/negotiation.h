#pragma once

#include <string_view>

namespace sched_exporter {

/// How metrics are written.
enum class TextFormat {
  kClassic,             ///< Prometheus' text format 0.0.4.
  kOpenMetrics,         ///< OpenMetrics 1.0.0.
  kOpenMetricsAsDraft,  ///< The same text for clients that only know the draft, 0.0.1.
};

/// What to answer to the field Accept (RFC 9110, 12.5.1): OpenMetrics where the client gives it the
/// higher weight, or names it and gives both the same; else, also where it wants neither, the
/// classic format. Takes any bytes, reads each a bounded number of times, allocates nothing.
TextFormat NegotiateFormat(std::string_view accept);

/// The field Content-Type of a format.
const char* ContentTypeOf(TextFormat format);

}  // namespace sched_exporter
