#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

#include "exporter/base/result.h"
#include "exporter/events/line_sink.h"

namespace sched_exporter {

/// Where the stream of events goes.
struct EventOutput {
  enum class Kind { kStdout, kFile };
  Kind kind = Kind::kStdout;
  std::string path;             ///< kFile.
  std::uint64_t max_bytes = 0;  ///< kFile: the size at which it is rotated; 0: never.
  std::uint32_t keep = 0;       ///< kFile: how many old files stay.
};

/// Writes lines in a thread of its own, so that nobody waits for a slow reader or disk. What it has
/// no room for, and what can't be written, is counted; a line of the kind "lost" stands in its
/// place. Write() and stats() are for any thread.
class EventWriter {
 public:
  /// Most lines that wait, and most bytes of them.
  static constexpr std::size_t kMostLines = 8'192;
  static constexpr std::size_t kMostBytes = 4U << 20U;

  /// Takes one line about what can't be written, once for each kind of failure. Called in the
  /// writer's thread.
  using Log = std::function<void(const std::string&)>;

  struct Stats {
    std::uint64_t written = 0;  ///< Lines; those about gaps not counted.
    std::uint64_t lost = 0;
  };

  /// Fails with one line where the file can't be opened.
  static Result<std::unique_ptr<EventWriter>> Open(const EventOutput& output, Log log);

  EventWriter(std::unique_ptr<LineSink> sink, Log log);

  /// Writes what waits, for a second at most.
  ~EventWriter();
  EventWriter(const EventWriter&) = delete;
  EventWriter& operator=(const EventWriter&) = delete;

  /// Takes a line, which ends with "\n". Never waits for the output.
  void Write(std::string line);

  Stats stats() const { return {written_, lost_}; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Item {
    std::string line;              ///< Empty where there is only a gap to tell.
    std::uint64_t gap_before = 0;  ///< Lines that were lost before this one.
  };

  // The thread's.
  void Run();
  std::optional<Item> Next();
  void Put(const Item& item);
  void TellGap();
  bool PutText(std::string_view text);
  bool IsPaused() const;
  bool HasToEnd() const;
  void GiveUpTheRest();

  std::unique_ptr<LineSink> sink_;
  Log log_;
  std::uint64_t missing_ = 0;   ///< Lines lost since the last one that was written.
  Clock::time_point retry_at_;  ///< After a failure nothing is tried before.
  std::set<std::string> logged_;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;

  std::atomic<bool> ends_ = false;  ///< Set under mutex_.
  Clock::time_point end_at_;        ///< Written before `ends_`, read after it.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> queue_;  ///< Under mutex_.
  std::size_t bytes_ = 0;   ///< Of the lines in queue_; under mutex_.
  std::uint64_t gap_ = 0;   ///< Lines lost since the last one in queue_; under mutex_.
  std::thread thread_;
};

}  // namespace sched_exporter
