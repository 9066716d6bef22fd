#pragma once

#include <cstdint>

#include "exporter/events/event_writer.h"
#include "exporter/kernel/kernel_source.h"
#include "exporter/model/exporter_stats.h"

namespace sched_exporter {

/// How full the maps and buffers of the kernel side are, and what they had no room for: only of
/// those that the mode in `stats` has. `new_cgroups` were in their map when they were last taken.
void NoteBuffers(const KernelSource& source, std::uint64_t new_cgroups, ExporterStats& stats);

/// After NoteBuffers(): the same of the event stream.
void NoteStream(const EventWriter::Stats& stream, ExporterStats& stats);

}  // namespace sched_exporter
