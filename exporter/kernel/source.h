#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/plain.h"
#include "exporter/base/result.h"
#include "exporter/kernel/decode_event.h"
#include "exporter/kernel/distribution_reader.h"
#include "exporter/kernel/event_buffer.h"
#include "exporter/kernel/kernel_source.h"
#include "exporter/kernel/lost_counts.h"
#include "exporter/kernel/programs.h"
#include "exporter/kernel/task_iterator.h"
#include "exporter/kernel/task_walk.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Reads what the programs record. One thread at a time.
class Source : public KernelSource {
 public:
  using Tap = EventTap;

  /// With `holds` the kernel keeps what was read until Release().
  static Result<std::unique_ptr<Source>> Open(Programs& programs, Walk walk, Tap tap = {},
                                              bool holds = false);
  ~Source() override;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  Result<void> Sweep(Snapshot& snapshot) override;
  void Drain() override;
  void Release() override;
  void Save(SavingArchive& archive) override;
  bool Load(LoadingArchive& archive) override;
  bool must_release() const override;
  std::size_t pending_events() const override { return events_.size(); }
  bool is_full() const override { return events_.size() >= kMaxEvents; }
  int wakeup_fd() const override;
  void set_walk(Walk walk) override { walk_ = walk; }
  const SourceStats& stats() const override { return stats_; }
  std::vector<NewCgroup> TakeNewCgroups() override { return new_cgroups_.Take(); }
  std::uint64_t CountLostLifecycle() const override { return programs_.CountLostLifecycle(); }
  const ProgramOptions& options() const override { return programs_.options(); }
  std::vector<ProgramStats> ReadProgramStats() const override {
    return programs_.ReadProgramStats();
  }

 private:
  Source(Programs& programs, Walk walk, Tap tap, bool holds);
  void TakeEvent(const void* record, std::size_t bytes);
  Result<void> WalkTasks(std::vector<TaskReading>& readings);
  void ReadSumsAndCounts(Snapshot& snapshot);
  void ReleaseSumsAndCounts();
  void ReadCpus(Snapshot& snapshot);

  static constexpr std::size_t kMaxEvents = 262'144;

  Programs& programs_;
  Walk walk_;
  TaskWalk tasks_;
  TaskIterator iterator_;
  Tap tap_;
  EventDecoder decoder_;
  std::unique_ptr<EventBuffer> buffer_;
  std::unique_ptr<DistributionReader> distributions_;
  LostCounts counts_;
  NewCgroups new_cgroups_;
  std::vector<TaskEvent> events_;
  std::uint64_t most_bytes_ = 0;  ///< Drained at once since the last sweep.
  std::uint32_t sweep_ = 0;
  std::chrono::steady_clock::time_point sums_switched_{};
  bool holds_;
  /// The turn (sums_turn in bpf/maps.bpf.h) whose resting sums and counts were read last.
  std::uint32_t read_turn_ = ~0U;
  bool batch_unsupported_ = false;
  SourceStats stats_;
};

}  // namespace sched_exporter
