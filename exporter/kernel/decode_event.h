#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// Makes the model's events of records of the buffer `events`. Command lines that it made and that
/// somebody still holds have a limit together: what is beyond it counts as cut. One thread at a
/// time; what it made may be held, and let go, by any.
class EventDecoder {
 public:
  static constexpr std::size_t kMostArgumentBytes = std::size_t{32} * 1024 * 1024;

  explicit EventDecoder(std::size_t most_argument_bytes = kMostArgumentBytes)
      : most_(most_argument_bytes), held_(std::make_shared<std::atomic<std::size_t>>(0)) {}

  /// Nothing where the record is too short or of a kind that this version doesn't know.
  std::optional<TaskEvent> Decode(const void* record, std::size_t bytes);

 private:
  ProgramImagePtr DecodeImage(const char* record, std::size_t bytes);

  std::size_t most_;
  std::shared_ptr<std::atomic<std::size_t>> held_;
};

}  // namespace sched_exporter
