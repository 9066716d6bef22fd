#include "exporter/app/event_stream.h"

#include <spdlog/spdlog.h>

#include <limits>

#include "exporter/events/event_text.h"
#include "exporter/events/json_line.h"

namespace sched_exporter {
namespace {

/// Exits and new cgroups wait this long for the stream to tell them.
constexpr std::chrono::milliseconds kOutputInterval{200};

/// Who looks at the last events by hand can wait longer than a reader of the stream.
constexpr std::chrono::milliseconds kMemoryInterval{1000};

}  // namespace

Result<std::unique_ptr<EventStream>> EventStream::Open(const EventsConfig& config, Naming& naming) {
  if (config.output == EventOutputChoice::kNone) {
    return std::unique_ptr<EventStream>(new EventStream(config, naming, nullptr));
  }
  EventOutput output;
  if (config.output == EventOutputChoice::kFile) {
    output = {EventOutput::Kind::kFile, config.file, config.rotate_bytes, config.keep};
  }
  auto writer = EventWriter::Open(
      output, [](const std::string& line) { spdlog::error("event stream: {}", line); });
  if (!writer) {
    return tl::unexpected(writer.error());
  }
  return std::unique_ptr<EventStream>(new EventStream(config, naming, std::move(*writer)));
}

void EventStream::Take(const TaskEvent& event) {
  assembler_.Take(event, ready_);
  TellReady();
}

void EventStream::NoteLost(std::uint64_t events) {
  Tell(GapOf(events, kKernelBuffer));
  if (recent_ != nullptr) {
    recent_->NoteLost(events);
  }
}

void EventStream::Settle(std::uint64_t begun_boottime_ns) {
  assembler_.Settle(begun_boottime_ns, ready_);
  TellReady();
}

void EventStream::Finish() {
  assembler_.Settle(std::numeric_limits<std::uint64_t>::max(), ready_);
  TellReady();
}

EventWriter::Stats EventStream::stats() const {
  return writer_ != nullptr ? writer_->stats() : EventWriter::Stats{};
}

std::chrono::milliseconds EventStream::interval() const {
  return writer_ != nullptr ? kOutputInterval : kMemoryInterval;
}

void EventStream::Tell(LifecycleEvent event) {
  if (writer_ != nullptr) {
    writer_->Write(JsonLine(event, arguments_));
  }
  if (recent_ != nullptr) {
    recent_->Add(std::move(event));
  }
}

void EventStream::TellReady() {
  for (LifecycleEvent& event : ready_) {
    Tell(std::move(event));
  }
  ready_.clear();
}

}  // namespace sched_exporter
