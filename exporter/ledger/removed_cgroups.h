#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "exporter/ledger/code_series.h"
#include "exporter/model/report.h"

namespace sched_exporter {

/// What cgroups had counted when they were removed, as sums in the cgroup above each. When that is
/// removed, too, its sum goes on to the next one, so that there are never more sums than cgroups.
class RemovedCgroups {
 public:
  using Lives = std::function<bool(const std::string& path)>;

  /// Cgroups are gone, or none; with them perhaps some that had sums. To be called at each sweep.
  /// `lives` tells whether a cgroup is there; the root is taken for granted. Cgroups that would get
  /// a sum beyond `most` go to the root's. `max_codes` is as CodeSeries has it. `zero_ns` is when
  /// sums that begin now were 0.
  void Add(std::vector<NamedRow> cgroups, const Lives& lives, std::size_t most,
           std::size_t max_codes, std::uint64_t zero_ns);

  /// The sums, by path.
  std::vector<NamedRow> Rows() const;

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(sums_, codes_);
  }

 private:
  std::map<std::string, NamedRow> sums_;
  CodeSeries codes_;
};

}  // namespace sched_exporter
