#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <vector>

#include "exporter/events/final_sums.h"
#include "exporter/model/lifecycle_event.h"
#include "exporter/model/naming.h"
#include "exporter/model/process_key.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Makes complete events of what the kernel tells. exec, failed exec and OOM kill are told at once.
/// An exit waits for the finals of the process's tasks, which come after it, because the last
/// switch of a task comes after its exit. Not for several threads at once.
class EventAssembler {
 public:
  /// How long finals of other threads may come after the exit and still count.
  static constexpr std::uint64_t kHoldNs = 20'000'000;
  /// How long to wait for the final of the last task, which may have been lost.
  static constexpr std::uint64_t kLongestHoldNs = 2'000'000'000;
  /// Most exits that wait, and most processes that live and have ended threads.
  static constexpr std::size_t kMost = 65'536;

  /// `naming` must outlive this.
  explicit EventAssembler(Naming& naming, std::size_t most = kMost)
      : naming_(naming), most_(most), sums_(most) {}

  /// CLOCK_REALTIME less CLOCK_BOOTTIME, for the time of events that are taken from now on.
  void set_boot_unix_ns(std::uint64_t boot_unix_ns) { boot_unix_ns_ = boot_unix_ns; }

  /// Takes an event, with its image, in the order of happening, and appends to `ready` what can be
  /// told.
  void Take(const TaskEvent& event, std::vector<LifecycleEvent>& ready);

  /// Appends the exits that are final at `now_boottime_ns` (CLOCK_BOOTTIME), oldest first. No event
  /// from before that time may come later.
  void Settle(std::uint64_t now_boottime_ns, std::vector<LifecycleEvent>& ready);

  std::size_t pending_exits() const { return pending_.size(); }

 private:
  /// An exit that waits for its figures.
  struct Exit {
    LifecycleEvent event;
    ProcessKey process;
    std::uint64_t time_ns = 0;  ///< CLOCK_BOOTTIME.
    TaskKey last_task = 0;
    Figures last_figures;  ///< Of the last task: as the exit told, or final.
    bool is_final = false;
    std::uint64_t released_run_ns = 0;
    FinalSum others;  ///< Of all tasks but the last.
  };
  using Exits = std::list<Exit>;

  LifecycleEvent Begin(const TaskEvent& event, LifecycleEvent::Type type,
                       const ProgramImagePtr& own_image);
  void TakeFinal(const TaskEvent& event);
  void TakeExit(const TaskEvent& event, std::vector<LifecycleEvent>& ready);
  void TellFormerOwnerOfPid(const TaskEvent& event, std::vector<LifecycleEvent>& ready);
  Exits::iterator Tell(Exits::iterator exit, std::vector<LifecycleEvent>& ready);

  Naming& naming_;
  std::size_t most_;
  std::uint64_t boot_unix_ns_ = 0;
  FinalSums sums_;
  Exits pending_;                                               ///< Oldest first.
  std::unordered_map<std::uint32_t, Exits::iterator> by_tgid_;  ///< All of `pending_`.
};

}  // namespace sched_exporter
