#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/metrics_text.h"
#include "tests/support/starter.h"

namespace sched_exporter::test_support {

/// Where the exporter's counts of a cgroup differ from those of the starters that ran in it, which
/// were the only ones there; one line each.
std::vector<std::string> CgroupDifferences(const MetricsText& metrics, const std::string& label,
                                           const std::vector<StarterReport>& reports);

/// The same for the groups of a starter and its children.
std::vector<std::string> GroupDifferences(const MetricsText& metrics, const std::string& comm,
                                          const StarterReport& report);

/// What all groups and what all cgroups together count is the same. Series may end or begin, when
/// they lose their place to a larger one or win one, but each addition is in one of them: so that
/// the growth from scrape to scrape is compared. Holds where all sweeps are scraped.
class ViewGrowth {
 public:
  /// Takes the next scrape; the first one is where growth begins.
  void Take(const MetricsText& metrics);

  /// One line for each family whose growth differs between the views.
  std::vector<std::string> Differences() const;

 private:
  bool begun_ = false;
  std::map<std::pair<std::string, Labels>, double> last_;
  std::map<std::string, double> growth_;  ///< By family.
};

}  // namespace sched_exporter::test_support
