#pragma once

#include <cstddef>
#include <string>

#include "exporter/app/series_count.h"

namespace sched_exporter {

/// The `count` families with most series, each label with half as many of its values, and which
/// keys of the config bound the series of this exporter that are among them.
std::string TopSeriesText(const SeriesCount& series, std::size_t count);

}  // namespace sched_exporter
