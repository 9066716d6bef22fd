#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sched_exporter::test_support {

/// What an expression of PromQL names, as far as its words tell; Prometheus itself says whether it
/// is valid.
struct PromqlNames {
  std::set<std::string> metrics;
  std::set<std::string> labels;  ///< In matchers and after by, without, on, ignoring and group_*.
};
PromqlNames NamesIn(std::string_view expression);

/// The vectors that an alert compares: both sides of and, or and unless, without thresholds,
/// offsets and absent(), so that each of them has data where the alert doesn't fire.
std::vector<std::string> SidesOf(std::string_view expression);

}  // namespace sched_exporter::test_support
