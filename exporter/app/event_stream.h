#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/events/event_assembler.h"
#include "exporter/events/event_writer.h"
#include "exporter/live/recent_events.h"
#include "exporter/model/naming.h"

namespace sched_exporter {

/// The stream of events, from what the kernel tells to JSON lines in a file or on standard output,
/// or to the memory of the last ones, or both. One thread at a time, but for stats().
class EventStream {
 public:
  /// Opens the output that the config asks for, and starts the thread that writes; without an
  /// output it can't fail. `naming` is not owned and outlives the stream.
  static Result<std::unique_ptr<EventStream>> Open(const EventsConfig& config, Naming& naming);

  /// Where events are kept in memory from now on; null: nowhere.
  void set_recent(std::shared_ptr<RecentEvents> recent) { recent_ = std::move(recent); }

  /// Lines are written.
  bool has_output() const { return writer_ != nullptr; }

  /// How often events should be read for it.
  std::chrono::milliseconds interval() const;

  /// Before events are taken: the clock may have been set since.
  void Begin() { assembler_.set_boot_unix_ns(BootUnixNs()); }

  /// Takes an event, annotated, in the order of happening.
  void Take(const TaskEvent& event);

  /// So many events had no room in the kernel's buffer: the stream tells of the gap.
  void NoteLost(std::uint64_t events);

  /// Everything that happened before `begun_boottime_ns` has been taken: exits whose figures are
  /// final by then are told.
  void Settle(std::uint64_t begun_boottime_ns);

  /// Tells all exits, also those whose figures may not be final: no more events will come.
  void Finish();

  EventWriter::Stats stats() const;

 private:
  EventStream(const EventsConfig& config, Naming& naming, std::unique_ptr<EventWriter> writer)
      : arguments_(config.arguments), assembler_(naming), writer_(std::move(writer)) {}

  void Tell(LifecycleEvent event);
  void TellReady();

  bool arguments_;
  EventAssembler assembler_;
  std::unique_ptr<EventWriter> writer_;   ///< Null: no output.
  std::shared_ptr<RecentEvents> recent_;  ///< May be null.
  std::vector<LifecycleEvent> ready_;
};

/// What gaps in a stream call the kernel's buffer, as `lost_events` of the metrics does.
inline constexpr char kKernelBuffer[] = "lifecycle";

}  // namespace sched_exporter
