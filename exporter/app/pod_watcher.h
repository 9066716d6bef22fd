#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "exporter/app/pod_book.h"

namespace sched_exporter {

/// When to look for names again: every 10 s, and a few times soon after somebody missed one,
/// because a container's link appears a moment after its start. Never twice within a second.
class ReadingPlan {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::seconds kInterval{10};
  static constexpr std::chrono::seconds kShortest{1};

  /// A reading ended.
  void Read(TimePoint now);
  void Miss(TimePoint now);
  TimePoint next() const { return next_; }

 private:
  static constexpr std::array kAfterMiss = {std::chrono::seconds(1), std::chrono::seconds(2),
                                            std::chrono::seconds(4)};

  TimePoint last_;
  TimePoint next_;
  std::size_t step_ = kAfterMiss.size();
};

/// Keeps names of pods fresh in a thread of its own, so that no directory and no server holds up a
/// sweep. All but Start() is for any thread, and waits for no reading.
class PodWatcher {
 public:
  /// Reads once before it returns, so that the first sweep has names: about a second at the most.
  /// What can't be read is warned of in the log, here and later.
  explicit PodWatcher(PodSources sources);

  /// Waits for a reading, about a second at the most.
  ~PodWatcher();
  PodWatcher(const PodWatcher&) = delete;
  PodWatcher& operator=(const PodWatcher&) = delete;

  /// Starts the thread, once. It inherits the signal mask of the caller.
  void Start();

  /// The latest names; never null.
  std::shared_ptr<const PodNames> names() const;

  /// Changes with every change of the names. Asked for before names(), it is never too new.
  std::uint64_t generation() const { return generation_; }

  /// Somebody met an id that the names don't have: looks again soon. To be called once for an id,
  /// since some have no name ever: a sandbox's container, a container of something else.
  void Miss();

  /// Other sources, as after a reload; they are read soon.
  void set_sources(const PodSources& sources);

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  void Refresh();

  PodBook book_;  ///< The thread's once it runs, the constructor's before.

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  PodSources sources_;  ///< Under mutex_, as all below but the generation.
  std::shared_ptr<const PodNames> names_;
  ReadingPlan plan_;
  bool ends_ = false;
  std::atomic<std::uint64_t> generation_ = 0;
  std::thread thread_;
};

}  // namespace sched_exporter
