#include "exporter/kernel/distribution_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exporter/base/archive.h"
#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

static_assert(ABI_DURATION_BUCKETS == kDurationBounds + 1);

/// What was counted between two readings. Counts begin anew at 2^32.
Distributions Between(const abi_distributions& earlier, const abi_distributions& later) {
  Distributions between;
  between.runqueue_latency.sum_ns = later.wait_ns - earlier.wait_ns;
  between.timeslice.sum_ns = later.run_ns - earlier.run_ns;
  for (std::size_t i = 0; i < ABI_DURATION_BUCKETS; ++i) {
    between.runqueue_latency.buckets[i] = later.buckets[i].waits - earlier.buckets[i].waits;
    between.timeslice.buckets[i] = later.buckets[i].slices - earlier.buckets[i].slices;
  }
  return between;
}

/// The counts first: a place that is taken meanwhile then has its cgroup already.
abi_distributions ReadElement(const abi_distributions& from) {
  abi_distributions read;
  std::memcpy(&read, &from, sizeof(read));
  read.cgroup_id = __atomic_load_n(&from.cgroup_id, __ATOMIC_SEQ_CST);
  return read;
}

bool CountsDiffer(const abi_distributions& a, const abi_distributions& b) {
  constexpr std::size_t kCounts = offsetof(abi_distributions, wait_ns);
  return std::memcmp(reinterpret_cast<const char*>(&a) + kCounts,
                     reinterpret_cast<const char*>(&b) + kCounts, sizeof(a) - kCounts) != 0;
}

/// What was read of one place.
struct KeptPlace {
  using Plain = void;
  std::uint64_t element = 0;
  abi_distributions last{};
};

}  // namespace

DistributionReader::DistributionReader(abi_distributions* memory, std::uint32_t cpus,
                                       std::uint32_t places)
    : memory_(memory),
      elements_(places == 0 ? 0 : std::size_t{cpus} * (places + 1)),
      places_(places),
      known_(elements_) {}

Result<std::unique_ptr<DistributionReader>> DistributionReader::Open(int fd, std::uint32_t cpus,
                                                                     std::uint32_t places) {
  auto reader = std::make_unique<DistributionReader>(nullptr, cpus, places);
  if (reader->elements_ == 0) {
    return reader;
  }
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t bytes =
      (reader->elements_ * sizeof(abi_distributions) + page - 1) / page * page;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    return Fail(WithErrno("cannot map the BPF map distributions", errno));
  }
  reader->memory_ = static_cast<abi_distributions*>(memory);
  reader->mapped_bytes_ = bytes;
  return reader;
}

DistributionReader::~DistributionReader() {
  if (mapped_bytes_ != 0) {
    munmap(memory_, mapped_bytes_);
  }
}

void DistributionReader::Read(Clock::time_point now, std::vector<CgroupDistributions>& to) {
  indices_.clear();
  entries_ = 0;
  for (std::size_t i = 0; i < elements_; ++i) {
    abi_distributions& place = memory_[i];
    const bool is_shared = i % (places_ + 1) == 0;
    const bool is_taken = __atomic_load_n(&place.cgroup_id, __ATOMIC_RELAXED) != 0;
    entries_ += is_taken ? 1 : 0;
    if (is_taken || is_shared || known_[i] != nullptr) {
      ReadPlace(place, known_[i], now, to);
    }
  }
}

void DistributionReader::ReadPlace(abi_distributions& place, std::unique_ptr<Known>& known,
                                   Clock::time_point now, std::vector<CgroupDistributions>& to) {
  const abi_distributions read = ReadElement(place);
  if (known == nullptr) {
    known = std::make_unique<Known>();
    known->changed = now;
  }
  if (CountsDiffer(read, known->last)) {
    Of(read.cgroup_id, to) += Between(known->last, read);
    known->last = read;
    known->changed = now;
  } else if (now - known->changed >= kRest) {
    __atomic_store_n(&place.cgroup_id, 0, __ATOMIC_SEQ_CST);
  }
}

Distributions& DistributionReader::Of(std::uint64_t cgroup_id,
                                      std::vector<CgroupDistributions>& to) {
  const auto [entry, added] = indices_.try_emplace(cgroup_id, to.size());
  if (added) {
    to.push_back({cgroup_id, {}});
  }
  return to[entry->second].distributions;
}

void DistributionReader::Save(SavingArchive& archive) const {
  std::vector<KeptPlace> kept;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i] != nullptr) {
      kept.push_back({i, known_[i]->last});
    }
  }
  ArchivePlain(archive, kept);
}

void DistributionReader::Load(LoadingArchive& archive, Clock::time_point now) {
  std::vector<KeptPlace> kept;
  ArchivePlain(archive, kept);
  for (const KeptPlace& place : kept) {
    known_.at(place.element) = std::make_unique<Known>(Known{place.last, now});
  }
}

}  // namespace sched_exporter
