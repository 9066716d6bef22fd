#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "exporter/base/result.h"
#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// The buffer `events`, whatever it is made of. One thread at a time.
class EventBuffer {
 public:
  /// Gets each record; it is valid during the call.
  using Sink = std::function<void(const void* record, std::size_t bytes)>;

  /// Opens what the programs were loaded with. `programs` outlives the buffer.
  static Result<std::unique_ptr<EventBuffer>> Open(const Programs& programs, Sink sink);

  virtual ~EventBuffer() = default;

  /// Hands over the records of everything that happened before the call, in the order of its
  /// happening. Returns the bytes that they took in the buffer.
  virtual std::size_t Drain() = 0;

  /// What was handed over may be forgotten: its room is free again. A perf buffer's is so at once.
  virtual void Release() {}

  /// Bytes that were handed over and not released.
  virtual std::uint64_t held() const { return 0; }

  /// How far Drain() has come, in a unit of the buffer's own, and back there; see RingReader.
  virtual std::uint64_t position() const { return 0; }
  virtual bool MoveTo(std::uint64_t /*position*/) { return false; }

  /// Becomes readable when the buffer is half full.
  virtual int wakeup_fd() const = 0;
};

}  // namespace sched_exporter
