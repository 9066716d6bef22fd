#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/abi.h"
#include "exporter/base/archive.h"
#include "exporter/model/snapshot.h"

namespace sched_exporter {

template <>
inline constexpr bool kIsPlain<abi_count> = true;

/// Reads what happened and had no room in the event buffer, each thing once.
class LostCounts {
 public:
  /// `other_fd` is the array `counts_other`, not owned.
  explicit LostCounts(int other_fd) : other_fd_(other_fd) {}

  /// Appends the entries of the hash `fd`, which no program fills any more, to `counts`. Returns
  /// their number.
  static std::size_t Read(int fd, std::vector<LostCount>& counts);

  /// Empties that hash.
  static void Clear(int fd);

  /// What came to the array `counts_other` since the last call. `full` is the kernel side's number
  /// of them all: where it stands still there is nothing to read.
  void TakeOther(std::uint64_t full, std::vector<LostCount>& counts);

  /// What was read, for the next reader of the same array (base/archive.h).
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(seen_);
    ArchivePlain(archive, last_);
  }

 private:
  int other_fd_;
  std::uint64_t seen_ = 0;  ///< Of `full`, in what was read.
  std::vector<abi_count> last_;
};

}  // namespace sched_exporter
