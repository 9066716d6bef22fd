#pragma once

#include <string_view>
#include <vector>

namespace sched_exporter {

/// The candidate that `word` was probably meant to be, or an empty view when none is close: at most
/// a third of its characters may be wrong. A swap of neighbours counts as one mistake.
std::string_view Nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace sched_exporter
