#include "exporter/kernel/source.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "exporter/base/archive.h"
#include "exporter/base/clock.h"
#include "exporter/kernel/convert.h"
#include "exporter/kernel/small_map.h"

namespace sched_exporter {
namespace {

/// The sums that were filled until the last exchange are read when no program can still be adding
/// to them. A program takes microseconds; a second covers a virtual CPU that its host left waiting.
constexpr std::chrono::seconds kSumsRest{1};

/// Reads of one CPU's books until two in a row agree; its CPU writes them a few 100,000 times a
/// second at most, so that more than two are rare.
constexpr int kCpuReads = 100;

abi_cpu CopyCpu(const volatile abi_cpu& from) {
  abi_cpu copy;
  std::memcpy(&copy, const_cast<const abi_cpu*>(&from), sizeof(copy));
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return copy;
}

abi_cpu ReadCpu(const volatile abi_cpu& from) {
  abi_cpu last = CopyCpu(from);
  for (int i = 0; i < kCpuReads; ++i) {
    const abi_cpu next = CopyCpu(from);
    if (std::memcmp(&last, &next, sizeof(next)) == 0) {
      break;
    }
    last = next;
  }
  return last;
}

}  // namespace

Source::Source(Programs& programs, Walk walk, Tap tap, bool holds)
    : programs_(programs),
      walk_(walk),
      tasks_(programs.tasks_fd(), programs.options().tasks),
      iterator_(programs.iterator_link_fd()),
      tap_(std::move(tap)),
      counts_(programs.counts_other_fd()),
      new_cgroups_(programs.cgroup_paths_fd(), holds),
      holds_(holds) {}

Source::~Source() = default;

Result<std::unique_ptr<Source>> Source::Open(Programs& programs, Walk walk, Tap tap, bool holds) {
  std::unique_ptr<Source> source(new Source(programs, walk, std::move(tap), holds));
  auto buffer =
      EventBuffer::Open(programs, [self = source.get()](const void* record, std::size_t bytes) {
        self->TakeEvent(record, bytes);
      });
  if (!buffer) {
    return tl::unexpected(buffer.error());
  }
  source->buffer_ = std::move(*buffer);
  auto distributions = DistributionReader::Open(programs.distributions_fd(), programs.cpu_count(),
                                                programs.cgroup_places());
  if (!distributions) {
    return tl::unexpected(distributions.error());
  }
  source->distributions_ = std::move(*distributions);
  return source;
}

int Source::wakeup_fd() const { return buffer_->wakeup_fd(); }

void Source::TakeEvent(const void* record, std::size_t bytes) {
  auto event = decoder_.Decode(record, bytes);
  if (!event) {
    return;
  }
  if (tap_) {
    tap_(*event);
  }
  events_.push_back(std::move(*event));
}

void Source::Drain() {
  if (!is_full()) {
    most_bytes_ = std::max<std::uint64_t>(most_bytes_, buffer_->Drain());
    if (!holds_) {
      buffer_->Release();
    }
  }
}

Result<void> Source::Sweep(Snapshot& snapshot) {
  snapshot.switched.clear();
  snapshot.living.clear();
  snapshot.living_keys.clear();
  snapshot.events.clear();
  snapshot.lost_sums.clear();
  snapshot.lost_counts.clear();
  snapshot.distributions.clear();
  // From here on the iterator tells in full what the walk below may have passed already.
  programs_.StartSweep(++sweep_);
  snapshot.sweep = sweep_;
  snapshot.boottime_ns = BoottimeNs();
  if (auto walked = WalkTasks(snapshot.switched); !walked) {
    return walked;
  }
  if (auto iterated = iterator_.Read(snapshot.living, snapshot.living_keys); !iterated) {
    return iterated;
  }
  ReadCpus(snapshot);
  // After the living: who died before the iterator came by is told by an event that is here now.
  Drain();
  stats_.events_bytes = std::exchange(most_bytes_, 0);
  snapshot.events.swap(events_);
  events_.clear();
  ReadSumsAndCounts(snapshot);
  distributions_->Read(std::chrono::steady_clock::now(), snapshot.distributions);
  stats_.distributions_entries = distributions_->entries();
  stats_.distributions_max_entries = distributions_->max_entries();
  if (!holds_) {
    ReleaseSumsAndCounts();
  }
  return {};
}

Result<void> Source::WalkTasks(std::vector<TaskReading>& readings) {
  const bool batch = walk_ == Walk::kBatch || (walk_ == Walk::kAuto && !batch_unsupported_);
  auto stats = batch ? tasks_.Batch(readings) : tasks_.NextKey(readings);
  if (!stats && walk_ == Walk::kAuto && batch) {
    batch_unsupported_ = true;
    readings.clear();
    stats = tasks_.NextKey(readings);
  }
  if (!stats) {
    return tl::unexpected(stats.error());
  }
  stats_.last_walk = *stats;
  stats_.torn += stats->torn;
  stats_.incomplete_walks += stats->complete ? 0 : 1;
  return {};
}

void Source::ReadCpus(Snapshot& snapshot) {
  snapshot.cpus.clear();
  snapshot.unattributed = {};
  stats_.lost_finals = stats_.lost_moves = stats_.lost_paths = stats_.insert_failures = 0;
  stats_.lost_lifecycle = stats_.counts_full = stats_.distributions_full = 0;
  for (std::uint32_t i = 0; i < programs_.cpu_count(); ++i) {
    const abi_cpu cpu = ReadCpu(programs_.cpu(i));
    const bool running = cpu.incoming != ABI_INCOMING_UNKNOWN && cpu.incoming != ABI_INCOMING_IDLE;
    snapshot.cpus.push_back(
        {i, running ? cpu.incoming : 0, cpu.incoming_run_ns, cpu.busy_ns, cpu.missed_switches});
    stats_.lost_finals += cpu.finished_full;
    stats_.lost_moves += cpu.moves_lost;
    stats_.lost_paths += cpu.paths_lost;
    stats_.lost_lifecycle += cpu.lifecycle_full;
    stats_.counts_full += cpu.counts_full;
    stats_.distributions_full += cpu.distributions_full;
    stats_.insert_failures += cpu.insert_failures;
    snapshot.unattributed.figures += FromAbi(cpu.unattributed);
    snapshot.unattributed.tasks += cpu.unattributed_tasks;
  }
  snapshot.lost_finals = stats_.lost_finals;
  stats_.sums_full = snapshot.unattributed.tasks;
}

void Source::ReadSumsAndCounts(Snapshot& snapshot) {
  counts_.TakeOther(stats_.counts_full, snapshot.lost_counts);
  const std::uint32_t turn = programs_.sums_turn();
  if (read_turn_ == turn || std::chrono::steady_clock::now() - sums_switched_ < kSumsRest) {
    return;
  }
  const std::uint32_t resting = (turn + 1) & 1;
  ForEachEntry<abi_sum_key, abi_sum>(
      programs_.sums_fd(resting), [&](const abi_sum_key& key, const abi_sum& sum) {
        snapshot.lost_sums.push_back(
            {key.cgroup_id, CommFromAbi(key.comm), FromAbi(sum.figures), sum.tasks});
      });
  stats_.sums_entries = snapshot.lost_sums.size();
  stats_.counts_entries = LostCounts::Read(programs_.counts_fd(resting), snapshot.lost_counts);
  read_turn_ = turn;
}

/// What was read and is to be emptied, and that is known after a sudden end, too: the turn comes
/// last.
void Source::ReleaseSumsAndCounts() {
  const std::uint32_t turn = programs_.sums_turn();
  if (read_turn_ != turn) {
    return;
  }
  const std::uint32_t resting = (turn + 1) & 1;
  ClearMap<abi_sum_key>(programs_.sums_fd(resting));
  LostCounts::Clear(programs_.counts_fd(resting));
  programs_.set_sums_turn(turn + 1);
  sums_switched_ = std::chrono::steady_clock::now();
}

void Source::Release() {
  buffer_->Release();
  ReleaseSumsAndCounts();
  new_cgroups_.Release();
}

bool Source::must_release() const {
  return holds_ && buffer_->held() > programs_.options().events_bytes / 2;
}

void Source::Save(SavingArchive& archive) {
  archive(buffer_->position(), read_turn_, sweep_, counts_);
  distributions_->Save(archive);
}

bool Source::Load(LoadingArchive& archive) {
  std::uint64_t position = 0;
  archive(position, read_turn_, sweep_, counts_);
  const auto now = std::chrono::steady_clock::now();
  distributions_->Load(archive, now);
  // A program that was at work in what rests now may have been so a moment ago.
  sums_switched_ = now;
  const std::uint32_t turn = programs_.sums_turn();
  if (!buffer_->MoveTo(position) || (turn != read_turn_ && turn != read_turn_ + 1)) {
    return false;
  }
  Release();
  return true;
}

}  // namespace sched_exporter
