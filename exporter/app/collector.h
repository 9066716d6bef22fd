#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exporter/app/attach.h"
#include "exporter/app/event_stream.h"
#include "exporter/app/host_naming.h"
#include "exporter/app/live_board.h"
#include "exporter/app/persistence.h"
#include "exporter/app/pod_watcher.h"
#include "exporter/app/spare_memory.h"
#include "exporter/base/clock.h"
#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"
#include "exporter/config/config.h"
#include "exporter/identity/process_book.h"
#include "exporter/identity/process_details.h"
#include "exporter/kernel/kernel_source.h"
#include "exporter/ledger/ledger.h"
#include "exporter/metrics/exposition.h"

namespace sched_exporter {

/// The pipeline from the kernel to a sample, and the one thread that drives it: it sweeps at every
/// interval and whenever a scrape asks. All public functions may be called from any thread.
class Collector {
 public:
  /// Loads and attaches the BPF programs and takes in what exists. Starts no thread, so that the
  /// caller can give up privileges for all threads to come.
  /// With persistence it goes on where the exporter before it was.
  static Result<std::unique_ptr<Collector>> Open(const Config& config, const HostPaths& paths,
                                                 const BpfChoice& choice = {});

  /// Opens the event stream, where the config asks for one, and starts the thread. Call it once,
  /// before Collect(). Fails with one line where the stream can't be opened.
  Result<void> Start();

  /// Stops the thread and detaches; without persistence nothing is left in the kernel.
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// The figures of a sweep that began after this call. Calls that wait at the same time share one
  /// sweep. Fails with one line where the kernel could not be read.
  Result<std::shared_ptr<const Sample>> Collect();

  /// Interval, walk method, limits, groups, filters, labels, sources of names and what is kept live
  /// take effect with the next sweep. Returns a line for each thing that needs a restart.
  std::vector<std::string> Reconfigure(const Config& config);

  /// Tells the metrics how reading the config went.
  void NoteReload(bool successful);

  /// What the node does now.
  const LiveBoard& live() const { return live_; }

  /// True while sweeps succeed: none failed since the last one, and the last one is not overdue.
  bool IsHealthy() const;

 private:
  Collector(const Config& config, const HostPaths& paths);
  Result<void> Attach(const BpfChoice& choice);
  Result<void> OpenPersistence();
  bool TakeOver(const Wanted& wanted);
  Result<void> AttachAnew(const BpfChoice& choice);
  Result<void> Build(Attached attached);
  bool Remember(const std::string& totals);
  void Keep();
  ExporterStats OwnCounts() const;
  void Run();
  void Finish();
  void WaitForWork();
  void ServeTicket();
  void NoteSwept(std::uint64_t ticket, const Result<void>& swept,
                 std::shared_ptr<const Sample> sample);
  void MakeLivePoint(bool is_swept);
  Result<void> ConfigureLive(const Config& config);
  Result<void> Sweep();
  bool ApplyConfig();
  void TakeEvent(TaskEvent& event);
  void Drain();
  void BeforeEvents();
  void NoteNewCgroups();
  std::shared_ptr<const Sample> MakeSample();
  void Wake() const;

  Config config_;  ///< Guarded by mutex_.
  HostPaths paths_;
  PodWatcher pods_;
  std::optional<Persistence> persistence_;
  Attached attached_;
  std::unique_ptr<KernelSource> source_;
  ProcessBook book_;
  std::unique_ptr<HostNaming> naming_;
  std::unique_ptr<Ledger> ledger_;
  std::unique_ptr<EventStream> stream_;  ///< Null where the config wants none.
  LiveBoard live_;
  ProcessDetails details_;
  LabelsConfig labels_;
  Snapshot snapshot_;
  SpareMemory spare_memory_;
  std::uint64_t known_losses_ = 0;
  std::uint64_t new_cgroups_ = 0;  ///< When they were last taken.
  std::string kept_;               ///< What was last kept; its memory is used again.
  bool keeping_fails_ = false;
  HistogramsConfig histograms_;
  OpenMetricsConfig openmetrics_;
  SteadyBootTime boot_time_;
  ExporterStats stats_;
  ExporterStats before_;  ///< Counted by former exporters; parts of OwnCounts().
  UniqueFd wakeup_;

  mutable std::mutex mutex_;
  std::condition_variable done_;
  std::uint64_t asked_ = 0;     ///< Tickets given to scrapes.
  std::uint64_t answered_ = 0;  ///< The last ticket that a finished sweep covers.
  Result<std::shared_ptr<const Sample>> latest_;
  bool reload_successful_ = true;
  std::uint64_t reload_unix_ns_ = 0;
  std::optional<Config> next_config_;  ///< To be applied by the thread.
  std::chrono::steady_clock::time_point last_sweep_;
  bool last_sweep_failed_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sched_exporter
