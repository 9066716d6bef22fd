#include "exporter/events/event_writer.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <utility>

#include "exporter/events/descriptor_sink.h"
#include "exporter/events/event_text.h"
#include "exporter/events/json_line.h"
#include "exporter/events/rotating_file.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryAfter = 1s;
constexpr auto kEndWithin = 1s;

/// SIGPIPE (no reader) and SIGXFSZ (the file size limit) would end the program; all others are for
/// other threads.
void BlockSignals() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

Result<std::unique_ptr<EventWriter>> EventWriter::Open(const EventOutput& output, Log log) {
  if (output.kind == EventOutput::Kind::kStdout) {
    return std::make_unique<EventWriter>(
        std::make_unique<DescriptorSink>(STDOUT_FILENO, "standard output"), std::move(log));
  }
  auto file = RotatingFile::Open({output.path, output.max_bytes, output.keep});
  if (!file) {
    return tl::unexpected<Error>(file.error());
  }
  return std::make_unique<EventWriter>(std::move(*file), std::move(log));
}

EventWriter::EventWriter(std::unique_ptr<LineSink> sink, Log log)
    : sink_(std::move(sink)), log_(std::move(log)), thread_([this] { Run(); }) {}

EventWriter::~EventWriter() {
  {
    const std::lock_guard lock(mutex_);
    end_at_ = Clock::now() + kEndWithin;
    ends_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void EventWriter::Write(std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= kMostLines || bytes_ + line.size() > kMostBytes) {
      ++gap_;
      ++lost_;
      return;
    }
    bytes_ += line.size();
    queue_.push_back({std::move(line), std::exchange(gap_, 0)});
  }
  wake_.notify_one();
}

void EventWriter::Run() {
  BlockSignals();
  while (const std::optional<Item> item = Next()) {
    Put(*item);
  }
  GiveUpTheRest();
}

/// Waits for something to do; nothing means that it is time to end.
std::optional<EventWriter::Item> EventWriter::Next() {
  std::unique_lock lock(mutex_);
  const auto has_work = [&] { return ends_ || !queue_.empty() || gap_ > 0; };
  if (missing_ > 0 && !sink_->IsOver()) {
    wake_.wait_for(lock, kRetryAfter, has_work);
  } else {
    wake_.wait(lock, has_work);
  }
  if (HasToEnd() || (ends_ && queue_.empty() && gap_ == 0)) {
    return std::nullopt;
  }
  if (queue_.empty()) {
    return Item{{}, std::exchange(gap_, 0)};
  }
  Item item = std::move(queue_.front());
  queue_.pop_front();
  bytes_ -= item.line.size();
  return item;
}

void EventWriter::Put(const Item& item) {
  missing_ += item.gap_before;
  TellGap();
  if (item.line.empty()) {
    return;
  }
  if (missing_ == 0 && PutText(item.line)) {
    ++written_;
  } else {
    ++missing_;
    ++lost_;
  }
}

/// The place of a gap is before the next line that gets through.
void EventWriter::TellGap() {
  if (missing_ > 0 && PutText(JsonLine(GapOf(missing_, "stream"), false))) {
    missing_ = 0;
  }
}

bool EventWriter::PutText(std::string_view text) {
  if (sink_->IsOver() || IsPaused()) {
    return false;
  }
  const Result<void> written = sink_->Write(text, [this] { return HasToEnd(); });
  if (written) {
    return true;
  }
  retry_at_ = Clock::now() + kRetryAfter;
  if (logged_.insert(written.error().message).second) {
    log_(written.error().message);
  }
  return false;
}

bool EventWriter::IsPaused() const { return Clock::now() < retry_at_; }

bool EventWriter::HasToEnd() const { return ends_ && Clock::now() >= end_at_; }

void EventWriter::GiveUpTheRest() {
  TellGap();
  const std::lock_guard lock(mutex_);
  if (!queue_.empty()) {
    log_("ended with " + std::to_string(queue_.size()) + " events unwritten");
  }
}

}  // namespace sched_exporter
