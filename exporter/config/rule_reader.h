#pragma once

#include <cstddef>
#include <memory>

#include "exporter/config/expression_reader.h"
#include "exporter/config/keyed_value.h"
#include "exporter/rules/group_rules.h"

namespace sched_exporter {

inline constexpr std::size_t kMaxRules = 1'000;
/// Most entries of a list of comms or exes.
inline constexpr std::size_t kMaxNamesInList = 1'000;
/// Most constant labels of a rule, and most bytes of a value of one.
inline constexpr std::size_t kMaxLabels = 16;
inline constexpr std::size_t kMaxLabelBytes = 256;

/// The rules of the list `value`, the first line of each kept for Explain(). `most_groups` is the
/// limit of groups with series of their own, which those with constant names must not exceed. What
/// is wrong becomes findings; then the rules are not worth using.
std::shared_ptr<const GroupRules> ReadRules(const KeyedValue& value, std::size_t most_groups,
                                            ExpressionReader& expressions, Findings& findings);

}  // namespace sched_exporter
