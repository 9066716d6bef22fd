#pragma once

#include <string_view>

namespace sched_exporter {

/// Writes the whole text to `fd`, which is not owned, however often it takes and whatever signals
/// come. False where it fails; errno says why, and a part may be written.
bool WriteAll(int fd, std::string_view text);

}  // namespace sched_exporter
