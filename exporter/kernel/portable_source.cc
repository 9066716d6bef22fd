#include "exporter/kernel/portable_source.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "exporter/base/clock.h"

namespace sched_exporter {
namespace {

/// Programs may be left out where another one interrupts them: who lives is looked up in /proc now
/// and then, whether or not anything is known to be missing.
constexpr std::chrono::seconds kLookAgain{60};

/// Entries that are read at once; more where a bucket of the hash has more.
constexpr std::uint32_t kBatch = 512;

}  // namespace

PortableSource::PortableSource(PortablePrograms& programs, LivingProcesses living, EventTap tap)
    : programs_(programs),
      new_cgroups_(programs.cgroup_paths_fd(), false),
      living_(std::move(living)),
      tap_(std::move(tap)),
      book_([this](TaskEvent event) {
        if (tap_) {
          tap_(event);
        }
        events_.push_back(std::move(event));
      }) {}

PortableSource::~PortableSource() = default;

Result<std::unique_ptr<PortableSource>> PortableSource::Open(PortablePrograms& programs,
                                                             LivingProcesses living, EventTap tap) {
  std::unique_ptr<PortableSource> source(
      new PortableSource(programs, std::move(living), std::move(tap)));
  auto buffer = RingReader::Open(programs.events_fd(), programs.options().events_bytes);
  if (!buffer) {
    return tl::unexpected(buffer.error());
  }
  source->buffer_ = std::move(*buffer);
  source->book_.Reconcile(source->living_, BoottimeNs());
  source->last_look_ = Clock::now();
  if (source->book_.process_count() == 0) {
    return Fail("portable mode: no process is found in procfs (--path.procfs)");
  }
  return source;
}

int PortableSource::wakeup_fd() const { return buffer_->wakeup_fd(); }

void PortableSource::TakeRecord(const void* record, std::size_t bytes) {
  if (bytes < sizeof(portable_event)) {
    return;
  }
  portable_event event{};
  std::memcpy(&event, record, sizeof(event));
  std::string_view file;
  if (bytes >= sizeof(portable_exec_event)) {
    const char* const text = static_cast<const portable_exec_event*>(record)->file;
    file = {text, ::strnlen(text, ABI_FILE_LEN)};
  }
  book_.Take(event, file);
}

void PortableSource::Drain() {
  if (!is_full()) {
    buffer_->Read([this](const void* record, std::size_t bytes) { TakeRecord(record, bytes); });
    buffer_->Release();
  }
}

std::uint64_t PortableSource::CountLostLifecycle() const {
  std::uint64_t lost = 0;
  for (const portable_cpu& cpu : programs_.ReadCpus()) {
    for (const std::uint64_t of_kind : cpu.lost) {
      lost += of_kind;
    }
  }
  return lost;
}

/// The order is that of what follows from what: busy time before the usages that explain it, these
/// before the events that may have taken entries out of the hash since.
Result<void> PortableSource::Sweep(Snapshot& snapshot) {
  snapshot = Snapshot{};
  snapshot.sweep = ++sweep_;
  snapshot.boottime_ns = BoottimeNs();
  programs_.CountRunning();
  const std::uint64_t busy_ns = ReadCpus(snapshot);
  if (auto read = ReadUsages(entries_); !read) {
    return read;
  }
  Drain();
  for (const Entry& entry : entries_) {
    book_.TakeUsage(entry.key, entry.usage);
  }
  if (lost_ != reconciled_ || book_.HasGhosts() || Clock::now() - last_look_ > kLookAgain) {
    Reconcile(snapshot);
  }
  book_.Fill(snapshot);
  snapshot.events.swap(events_);
  events_.clear();
  if (busy_ns > book_.attributed_ns()) {
    unattributed_ns_ = std::max(unattributed_ns_, busy_ns - book_.attributed_ns());
  }
  snapshot.unattributed.figures.run_ns = unattributed_ns_;
  stats_.last_walk.entries = entries_.size();
  return {};
}

std::uint64_t PortableSource::ReadCpus(Snapshot& snapshot) {
  std::uint64_t busy_ns = 0;
  lost_ = {};
  stats_.insert_failures = stats_.lost_paths = 0;
  std::uint32_t number = 0;
  for (const portable_cpu& cpu : programs_.ReadCpus()) {
    snapshot.cpus.push_back({number++, 0, 0, cpu.busy_ns, 0});
    busy_ns += cpu.busy_ns;
    stats_.insert_failures += cpu.usages_full;
    stats_.lost_paths += cpu.paths_lost;
    for (std::size_t kind = 0; kind < lost_.size(); ++kind) {
      lost_[kind] += cpu.lost[kind];
    }
  }
  stats_.lost_finals = lost_[PORTABLE_ENDED];
  stats_.lost_lifecycle =
      lost_[PORTABLE_FORKED] + lost_[PORTABLE_THREAD_STARTED] + lost_[PORTABLE_EXECUTED];
  return busy_ns;
}

Result<void> PortableSource::ReadUsages(std::vector<Entry>& entries) const {
  entries.clear();
  std::uint32_t batch = kBatch;
  std::vector<portable_key> keys(batch);
  std::vector<portable_usage> usages(batch);
  std::uint32_t place = 0;
  for (bool is_first = true, ended = false;
       !ended && entries.size() <= programs_.options().tasks;) {
    std::uint32_t count = batch;
    const int error = bpf_map_lookup_batch(programs_.usages_fd(), is_first ? nullptr : &place,
                                           &place, keys.data(), usages.data(), &count, nullptr);
    if (error != 0 && errno == ENOSPC && batch < programs_.options().tasks) {
      batch *= 2;
      keys.resize(batch);
      usages.resize(batch);
      continue;
    }
    if (error != 0 && errno != ENOENT) {
      return Fail(WithErrno("cannot read the BPF map usages", errno));
    }
    ended = error != 0;
    is_first = false;
    for (std::uint32_t i = 0; i < count; ++i) {
      entries.push_back({keys[i], usages[i]});
    }
  }
  return {};
}

/// Who lives is known again afterwards, and what no event told is counted without an owner.
void PortableSource::Reconcile(Snapshot& snapshot) {
  const std::uint64_t found = book_.Reconcile(living_, BoottimeNs());
  for (const portable_key& key : book_.RetireGhosts(BoottimeNs())) {
    bpf_map_delete_elem(programs_.usages_fd(), &key);
  }
  const auto lose = [&](TaskEvent::Kind kind, std::uint64_t count) {
    if (count != 0) {
      LostCount lost;
      lost.kind = kind;
      lost.has_owner = false;
      lost.code = kOtherCode;
      lost.count = count;
      snapshot.lost_counts.push_back(lost);
    }
  };
  const auto missing = [&](std::size_t kind) { return lost_.at(kind) - reconciled_.at(kind); };
  lose(TaskEvent::Kind::kForked, missing(PORTABLE_FORKED));
  lose(TaskEvent::Kind::kThreadStarted, missing(PORTABLE_THREAD_STARTED));
  lose(TaskEvent::Kind::kExecuted, missing(PORTABLE_EXECUTED));
  // Processes whose fork nobody told are those found here, and those that are gone again.
  const std::uint64_t forks = missing(PORTABLE_FORKED);
  lose(TaskEvent::Kind::kExited, forks - std::min(forks, found));
  reconciled_ = lost_;
  last_look_ = Clock::now();
}

}  // namespace sched_exporter
