#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/live/counted.h"

namespace sched_exporter {

/// The members of one view from step to step: what each had counted, and whose history is kept. Not
/// for several threads at once.
class MemberBook {
 public:
  /// Keeps the history of no more than `most_tracked` members at a time.
  explicit MemberBook(std::size_t most_tracked) : most_tracked_(most_tracked) {}

  /// What a member added since the last step, where it has `counted` now. None where that isn't
  /// known: it `resumed`, so that its total has older figures, and was not met in the last step.
  /// Call it once a step for each member.
  std::optional<Counted> Next(const std::string& key, const Counted& counted, bool resumed);

  /// The history of these is wanted, no more than there may be; that of others is kept while there
  /// is room.
  void Want(const std::vector<std::string>& keys);

  /// The number of a member whose history is kept; 0: it is not. Numbers are not used again.
  std::uint32_t TrackOf(const std::string& key) const;

  /// The step is over: who was not met in it is gone.
  void EndStep();

  std::size_t size() const { return members_.size(); }
  std::size_t tracked() const { return tracked_; }

 private:
  struct Member {
    Counted counted;
    std::uint32_t met_step = 0;
    std::uint32_t wanted_step = 0;
    std::uint32_t track = 0;
  };

  void MakeRoom(std::size_t places);

  std::size_t most_tracked_;
  std::unordered_map<std::string, Member> members_;
  std::uint32_t step_ = 1;
  std::uint32_t last_track_ = 0;
  std::size_t tracked_ = 0;
};

}  // namespace sched_exporter
