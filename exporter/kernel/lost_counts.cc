#include "exporter/kernel/lost_counts.h"

#include <bpf/bpf.h>

#include <array>

#include "exporter/kernel/convert.h"
#include "exporter/kernel/small_map.h"

namespace sched_exporter {
namespace {

constexpr std::uint64_t kBoundsMs[] = ABI_LIFETIME_BOUNDS_MS;
constexpr std::uint64_t kNsPerMs = 1'000'000;

constexpr bool BoundsAgree() {
  for (std::size_t i = 0; i < kLifetimeBoundsNs.size(); ++i) {
    if (kLifetimeBoundsNs[i] != kBoundsMs[i] * kNsPerMs) {
      return false;
    }
  }
  return kLifetimeBoundsNs.size() == ABI_LIFETIME_BOUNDS;
}
static_assert(BoundsAgree(), "both sides have the same buckets");
static_assert(kSignalBase == ABI_CODE_SIGNAL, "both sides have the same codes");

Lifetimes Difference(const abi_count& later, const abi_count& earlier) {
  Lifetimes lifetimes;
  for (std::size_t i = 0; i < lifetimes.buckets.size(); ++i) {
    lifetimes.buckets[i] = later.lifetimes[i] - earlier.lifetimes[i];
  }
  lifetimes.sum_ns = later.lifetime_ns - earlier.lifetime_ns;
  return lifetimes;
}

/// The kind and code of an element of `counts_other`.
LostCount Nameless(std::uint32_t place) {
  LostCount count;
  count.has_owner = false;
  if (place < ABI_OTHER_EXEC_FAILED) {
    count.kind = TaskEvent::Kind::kExited;
    count.code = place;
  } else if (place < ABI_OTHER_KINDS) {
    count.kind = TaskEvent::Kind::kExecFailed;
    count.code = place - ABI_OTHER_EXEC_FAILED;
  } else {
    count.kind = KindFromAbi(place - ABI_OTHER_KINDS).value_or(count.kind);
  }
  return count;
}

}  // namespace

std::size_t LostCounts::Read(int fd, std::vector<LostCount>& counts) {
  const std::size_t before = counts.size();
  ForEachEntry<abi_count_key, abi_count>(fd, [&](const abi_count_key& key, const abi_count& count) {
    if (const auto kind = KindFromAbi(key.kind)) {
      counts.push_back({*kind, true, key.cgroup_id, CommFromAbi(key.comm), key.code, count.count,
                        Difference(count, abi_count{})});
    }
  });
  return counts.size() - before;
}

void LostCounts::Clear(int fd) { ClearMap<abi_count_key>(fd); }

void LostCounts::TakeOther(std::uint64_t full, std::vector<LostCount>& counts) {
  if (full == seen_) {
    return;
  }
  last_.resize(ABI_OTHER_SIZE);
  std::uint64_t taken = 0;
  for (std::uint32_t place = 0; place < ABI_OTHER_SIZE; ++place) {
    abi_count now{};
    if (bpf_map_lookup_elem(other_fd_, &place, &now) != 0 || now.count == last_[place].count) {
      continue;
    }
    LostCount lost = Nameless(place);
    lost.count = now.count - last_[place].count;
    lost.lifetimes = Difference(now, last_[place]);
    taken += lost.count;
    last_[place] = now;
    counts.push_back(lost);
  }
  // The number is counted before the element is: what is still missing is met the next time.
  seen_ += taken;
}

}  // namespace sched_exporter
