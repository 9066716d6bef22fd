#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {

/// Reads a BPF ring buffer in two steps, which libbpf's reader does in one: what was read stays in
/// the buffer until Release(), so that whoever comes after a sudden end reads it again. The memory
/// is laid out as in kernel/bpf/ringbuf.c and Documentation/bpf/ringbuf.rst. One thread at a time.
class RingReader {
 public:
  /// Gets each record; it is valid during the call.
  using Sink = std::function<void(const void* record, std::size_t bytes)>;

  /// Maps the memory of the ring buffer `map_fd`, which has `bytes` (a power of two) for records
  /// and outlives this. It begins with what nobody has released. Fails with one line.
  static Result<std::unique_ptr<RingReader>> Open(int map_fd, std::size_t bytes);

  ~RingReader();
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  /// Hands over what was written before the call and not read yet; ends at a record that is still
  /// being written. Returns the bytes that it took in the buffer.
  std::size_t Read(const Sink& sink);

  /// Gives the room of all that was read back to the writers.
  void Release();

  /// How far this has read: bytes since the buffer was made.
  std::uint64_t position() const { return position_; }

  /// Reads on from a position that an earlier reader had come to and perhaps not released. False
  /// where it is none: released beyond, or not written yet.
  bool MoveTo(std::uint64_t position);

  /// Bytes that were read and not released.
  std::uint64_t held() const;

  /// Becomes readable when a writer asks for it; Read() ends that.
  int wakeup_fd() const { return epoll_.get(); }

 private:
  RingReader(UniqueFd epoll, std::size_t bytes) : epoll_(std::move(epoll)), bytes_(bytes) {}
  Result<void> Map(int map_fd);

  UniqueFd epoll_;
  std::size_t bytes_;
  std::size_t page_ = 0;
  unsigned long* consumer_ = nullptr;        ///< Position up to which all is released.
  const unsigned long* producer_ = nullptr;  ///< Position up to which there are records.
  const char* records_ = nullptr;            ///< Twice in a row, so that none is in two parts.
  std::uint64_t position_ = 0;
};

}  // namespace sched_exporter
