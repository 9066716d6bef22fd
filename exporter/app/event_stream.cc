#include "exporter/app/event_stream.h"

#include <spdlog/spdlog.h>

#include <limits>

#include "exporter/events/event_text.h"
#include "exporter/events/json_line.h"

namespace sched_exporter {

Result<std::unique_ptr<EventStream>> EventStream::Open(const EventsConfig& config, Naming& naming) {
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
  WriteReady();
}

void EventStream::NoteLost(std::uint64_t events) {
  writer_->Write(JsonLine(GapOf(events, kKernelBuffer), false));
}

void EventStream::Settle(std::uint64_t begun_boottime_ns) {
  assembler_.Settle(begun_boottime_ns, ready_);
  WriteReady();
}

void EventStream::Finish() {
  assembler_.Settle(std::numeric_limits<std::uint64_t>::max(), ready_);
  WriteReady();
}

void EventStream::WriteReady() {
  for (const LifecycleEvent& event : ready_) {
    writer_->Write(JsonLine(event, arguments_));
  }
  ready_.clear();
}

}  // namespace sched_exporter
