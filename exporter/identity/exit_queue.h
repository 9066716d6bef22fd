#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "exporter/model/process_key.h"

namespace sched_exporter {

/// Processes that have exited, in the order of their exits, until nothing of them can come any
/// more.
class ExitQueue {
 public:
  void Add(std::uint64_t time_ns, const ProcessKey& process) {
    exited_.emplace_back(time_ns, process);
  }

  /// Gives those to `forget` whose exit is long enough ago.
  template <typename Forget>
  void Sweep(std::uint64_t now_ns, const Forget& forget) {
    while (!exited_.empty() && now_ns >= exited_.front().first + kKeepNs) {
      forget(exited_.front().second);
      exited_.pop_front();
    }
  }

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(exited_);
  }

 private:
  /// The finals of a process's threads come after its exit: do_exit() calls the exit tracepoint
  /// long before the task's last switch, which may have to wait for a CPU.
  static constexpr std::uint64_t kKeepNs = 10'000'000'000;

  std::deque<std::pair<std::uint64_t, ProcessKey>> exited_;
};

}  // namespace sched_exporter
