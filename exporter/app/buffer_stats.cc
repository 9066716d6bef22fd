#include "exporter/app/buffer_stats.h"

#include "exporter/app/event_stream.h"
#include "exporter/kernel/new_cgroups.h"

namespace sched_exporter {
namespace {

void NotePortableBuffers(const KernelSource& kernel, std::uint64_t new_cgroups,
                         ExporterStats& stats) {
  const SourceStats& source = kernel.stats();
  const ProgramOptions& options = kernel.options();
  stats.maps = {{"usages", source.last_walk.entries, options.tasks, source.insert_failures},
                {"events", source.events_bytes, options.events_bytes,
                 source.lost_finals + source.lost_lifecycle},
                {"cgroup_paths", new_cgroups, kMostNewCgroups, source.lost_paths}};
  stats.lost_events = {{"finished", source.lost_finals},
                       {kKernelBuffer, source.lost_lifecycle},
                       {"cgroup_paths", source.lost_paths}};
}

}  // namespace

void NoteBuffers(const KernelSource& kernel, std::uint64_t new_cgroups, ExporterStats& stats) {
  if (stats.mode == Mode::kPortable) {
    NotePortableBuffers(kernel, new_cgroups, stats);
    return;
  }
  const SourceStats& source = kernel.stats();
  const ProgramOptions& options = kernel.options();
  const std::uint64_t lost_events = source.lost_finals + source.lost_moves + source.lost_lifecycle;
  stats.maps = {{"tasks", source.last_walk.entries, options.tasks, source.insert_failures},
                {"events", source.events_bytes, options.events_bytes, lost_events},
                {"sums", source.sums_entries, options.sums, source.sums_full},
                {"counts", source.counts_entries, options.sums, source.counts_full},
                {"cgroup_paths", new_cgroups, kMostNewCgroups, source.lost_paths},
                {"distributions", source.distributions_entries, source.distributions_max_entries,
                 source.distributions_full}};
  stats.lost_events = {{"finished", source.lost_finals},
                       {"moved", source.lost_moves},
                       {kKernelBuffer, source.lost_lifecycle},
                       {"cgroup_paths", source.lost_paths}};
}

void NoteStream(const EventWriter::Stats& stream, ExporterStats& stats) {
  stats.lost_events.push_back({"stream", stream.lost});
}

}  // namespace sched_exporter
