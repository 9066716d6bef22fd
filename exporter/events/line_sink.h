#pragma once

#include <functional>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Asked by a sink that has to wait: true means that it shall wait no longer.
using GiveUp = std::function<bool()>;

/// Where finished lines go. Used by one thread at a time.
class LineSink {
 public:
  virtual ~LineSink() = default;

  /// Writes a line, which ends with "\n". Fails where nothing of it is left at the place or where
  /// the end of this sink cut it. What another failure cut is completed before the next line, and
  /// counts as written.
  virtual Result<void> Write(std::string_view line, const GiveUp& give_up) = 0;

  /// No line will ever be taken again.
  virtual bool IsOver() const = 0;
};

}  // namespace sched_exporter
