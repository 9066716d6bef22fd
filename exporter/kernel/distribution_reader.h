#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bpf/abi.h"
#include "exporter/base/plain.h"
#include "exporter/base/result.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Reads what the programs count in the map `distributions`, and gives its places back when they
/// rest: nothing but this takes a cgroup out. Counts go on from where they are whoever has a place,
/// so that what is read is never lost or read twice.
class DistributionReader {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long a place has not changed before it is given back. A cgroup that comes again takes one.
  static constexpr std::chrono::seconds kRest{60};

  /// Maps the memory of the map `fd`, which has `places + 1` elements for each CPU and outlives
  /// this. No places: there is nothing to read. Fails with one line.
  static Result<std::unique_ptr<DistributionReader>> Open(int fd, std::uint32_t cpus,
                                                          std::uint32_t places);

  /// Reads the elements at `memory`, which is not owned; for tests.
  DistributionReader(abi_distributions* memory, std::uint32_t cpus, std::uint32_t places);
  ~DistributionReader();
  DistributionReader(const DistributionReader&) = delete;
  DistributionReader& operator=(const DistributionReader&) = delete;

  /// Appends what was counted since the last call, each cgroup once.
  void Read(Clock::time_point now, std::vector<CgroupDistributions>& to);

  /// What was read, for the next reader of the same map (base/archive.h). Loading takes `now` for
  /// the time of the last change of each place.
  void Save(SavingArchive& archive) const;
  void Load(LoadingArchive& archive, Clock::time_point now);

  /// Places that cgroups had at the last Read(), of all CPUs.
  std::uint64_t entries() const { return entries_; }
  /// Places that there are.
  std::uint64_t max_entries() const { return elements_; }

 private:
  struct Known {
    abi_distributions last{};
    Clock::time_point changed;
  };
  void ReadPlace(abi_distributions& place, std::unique_ptr<Known>& known, Clock::time_point now,
                 std::vector<CgroupDistributions>& to);
  Distributions& Of(std::uint64_t cgroup_id, std::vector<CgroupDistributions>& to);

  abi_distributions* memory_;
  std::size_t mapped_bytes_ = 0;  ///< 0: the memory is somebody else's.
  std::size_t elements_;
  std::uint32_t places_;
  std::vector<std::unique_ptr<Known>> known_;  ///< By element; null while nothing was counted.
  std::unordered_map<std::uint64_t, std::size_t> indices_;  ///< In `to`, by cgroup.
  std::uint64_t entries_ = 0;
};

}  // namespace sched_exporter
