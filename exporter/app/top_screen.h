#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// What there is room for.
struct TopRoom {
  std::size_t columns = 0;  ///< 0: no end.
  bool utf8 = false;        ///< The terminal shows UTF-8; else there are no sparklines.
};

/// An answer of /api/v1/top as a table.
struct TopScreen {
  std::vector<std::string> lines;  ///< Without ends; none is wider than the room, none controls a
                                   ///< terminal.
  bool has_step = false;           ///< False: the exporter has no step yet.
  double next_s = 0;               ///< Seconds from one step to the next; at least 0.1.
};

/// Makes a screen of an answer, which may come from anywhere. Fails with the reason where it is
/// none.
Result<TopScreen> MakeTopScreen(std::string_view json, const TopRoom& room);

/// The beginning of `text`, which is valid UTF-8, that fits in `columns`. What may be two columns
/// wide counts as two.
std::string CutToColumns(std::string_view text, std::size_t columns);

}  // namespace sched_exporter
