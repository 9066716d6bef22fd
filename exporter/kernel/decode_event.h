#pragma once

#include <cstddef>
#include <optional>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// A record of the buffer `events` as the model's. Nothing where it is too short or of a kind that
/// this version doesn't know.
std::optional<TaskEvent> DecodeEvent(const void* record, std::size_t bytes);

}  // namespace sched_exporter
