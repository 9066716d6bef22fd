#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bpf/portable_abi.h"
#include "exporter/base/result.h"
#include "exporter/kernel/kernel_source.h"
#include "exporter/kernel/new_cgroups.h"
#include "exporter/kernel/portable_book.h"
#include "exporter/kernel/portable_programs.h"
#include "exporter/kernel/ring_reader.h"
#include "exporter/model/living_process.h"

namespace sched_exporter {

/// Reads what the programs of portable mode record, and /proc for who lives.
class PortableSource : public KernelSource {
 public:
  /// Takes in who lives. `programs` is not owned and outlives the source.
  static Result<std::unique_ptr<PortableSource>> Open(PortablePrograms& programs,
                                                      LivingProcesses living, EventTap tap = {});
  ~PortableSource() override;
  PortableSource(const PortableSource&) = delete;
  PortableSource& operator=(const PortableSource&) = delete;

  Result<void> Sweep(Snapshot& snapshot) override;
  void Drain() override;
  std::size_t pending_events() const override { return events_.size(); }
  bool is_full() const override { return events_.size() >= kMaxEvents; }
  int wakeup_fd() const override;
  void set_walk(Walk /*walk*/) override {}  // there is one way alone
  const SourceStats& stats() const override { return stats_; }
  std::vector<NewCgroup> TakeNewCgroups() override { return new_cgroups_.Take(); }
  std::uint64_t CountLostLifecycle() const override;
  const ProgramOptions& options() const override { return programs_.options(); }
  std::vector<ProgramStats> ReadProgramStats() const override {
    return programs_.ReadProgramStats();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Losses = std::array<std::uint64_t, PORTABLE_KINDS>;
  struct Entry {
    portable_key key{};
    portable_usage usage{};
  };

  PortableSource(PortablePrograms& programs, LivingProcesses living, EventTap tap);
  void TakeRecord(const void* record, std::size_t bytes);
  Result<void> ReadUsages(std::vector<Entry>& entries) const;
  std::uint64_t ReadCpus(Snapshot& snapshot);
  void Reconcile(Snapshot& snapshot);

  static constexpr std::size_t kMaxEvents = 262'144;

  PortablePrograms& programs_;
  NewCgroups new_cgroups_;
  LivingProcesses living_;
  EventTap tap_;
  PortableBook book_;
  std::unique_ptr<RingReader> buffer_;
  std::vector<TaskEvent> events_;
  std::vector<Entry> entries_;
  Losses lost_{};        ///< At the last sweep.
  Losses reconciled_{};  ///< Of these, what LostCounts told.
  Clock::time_point last_look_{};
  std::uint64_t unattributed_ns_ = 0;
  std::uint32_t sweep_ = 0;
  SourceStats stats_;
};

}  // namespace sched_exporter
