#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Reads one HTTP/1.1 response (RFC 9112) from pieces as they arrive. Fails as soon as the status
/// isn't 200 or a bound is passed. Memory is bounded by `most_bytes` and the bounds of lines.
class ResponseReader {
 public:
  explicit ResponseReader(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Takes the next bytes; bytes after the response are ignored.
  Result<void> Feed(std::string_view bytes);

  /// The server closed the connection.
  Result<void> End();

  bool done() const { return state_ == State::kDone; }
  std::string TakeBody() { return std::move(body_); }

 private:
  enum class State {
    kStatus,
    kHeaders,
    kCounted,    // Content-Length
    kUntilEnd,   // neither length nor chunks
    kChunkSize,  // chunked: this line, the bytes, the end of their line
    kChunk,
    kChunkEnd,
    kTrailers,
    kDone,
  };

  bool TakesLines() const;
  Result<void> TakeBytes(std::string_view& bytes);
  Result<void> TakeLine(std::string_view& bytes);
  Result<void> OnLine(std::string_view line);
  Result<void> OnStatus(std::string_view line);
  Result<void> OnHeader(std::string_view line);
  Result<void> OnChunkSize(std::string_view line);
  Result<void> CheckSize(std::uint64_t more) const;
  void BeginBody();

  std::size_t most_bytes_;
  State state_ = State::kStatus;
  std::string line_;            ///< A line that is not complete.
  std::size_t head_bytes_ = 0;  ///< Of lines outside the body, chunk sizes not counted.
  bool chunked_ = false;
  bool has_length_ = false;
  std::uint64_t left_ = 0;  ///< Bytes to come: kCounted, kChunk.
  std::string body_;
};

}  // namespace sched_exporter
