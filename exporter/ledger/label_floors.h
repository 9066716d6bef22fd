#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "exporter/model/snapshot.h"
#include "exporter/model/totals.h"

namespace sched_exporter {

/// What process series last said before their process ended or took another name. A process that
/// comes to the same labels, because its pid was used again, goes on from there: to whoever reads
/// the series it is the same one, and a counter must not go back.
class LabelFloors {
 public:
  /// What a series says, or has to say besides what its process used.
  struct Said {
    using Plain = void;
    Totals totals;
    std::uint64_t since_ns = 0;  ///< When it said 0; 0: it has never said anything.
  };

  /// The series with these labels ends with `last`.
  void Leave(std::uint32_t pid, const Comm& comm, const Said& last, std::uint64_t now_ns);

  /// What a process with `totals` of its own has to add to them under these labels, and since when
  /// the series counts that it goes on with.
  Said Offset(std::uint32_t pid, const Comm& comm, const Totals& totals) const;

  /// Forgets what was left longer than `keep_ns` ago, and beyond `limit` what was left first. What
  /// was left at `now_ns` itself stays: a pid that is used again at once is what this is for.
  void Prune(std::uint64_t now_ns, std::uint64_t keep_ns, std::size_t limit);

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(floors_);
  }

 private:
  struct Floor {
    using Plain = void;
    Said last;
    std::uint64_t left_ns = 0;
  };

  std::map<std::pair<std::uint32_t, Comm>, Floor> floors_;
};

}  // namespace sched_exporter
