#include "exporter/ledger/time_split.h"

#include <algorithm>

namespace sched_exporter {
namespace {

__extension__ using Wide = unsigned __int128;

}  // namespace

SplitTime TimeSplit::Add(const Delta& delta) {
  run_ns_ += delta.run_ns;
  sampled_user_ns_ += delta.user_ns;
  sampled_system_ns_ += delta.system_ns;
  const std::uint64_t samples = sampled_user_ns_ + sampled_system_ns_;
  // No tick ever met it: the kernel says user, too.
  const std::uint64_t wanted =
      samples == 0 ? run_ns_
                   : static_cast<std::uint64_t>(Wide{run_ns_} * sampled_user_ns_ / samples);
  const std::uint64_t user_ns = std::clamp(wanted, user_ns_, user_ns_ + delta.run_ns);
  const SplitTime part{user_ns - user_ns_, delta.run_ns - (user_ns - user_ns_)};
  user_ns_ = user_ns;
  return part;
}

}  // namespace sched_exporter
