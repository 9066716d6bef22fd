#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Where a field is in a tracepoint's record, in bytes.
struct TracepointField {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

/// Finds `field` in `format`, the text of a file of that name in tracefs. Offsets differ between
/// kernels: real-time ones have one common field more, and sched_process_fork had its names in
/// place before 6.16. Fails with one line where there is no such field.
Result<TracepointField> FindTracepointField(std::string_view format, std::string_view field);

/// The same of the classic tracepoint `name` ("sched/sched_switch") of the running kernel.
Result<TracepointField> ReadTracepointField(const std::string& name, std::string_view field);

}  // namespace sched_exporter
