#include "exporter/kernel/event_buffer.h"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "exporter/base/clock.h"
#include "exporter/kernel/ring_reader.h"

namespace sched_exporter {
namespace {

class RingEventBuffer : public EventBuffer {
 public:
  explicit RingEventBuffer(Sink sink) : sink_(std::move(sink)) {}

  Result<void> Open(int map_fd, std::size_t bytes) {
    auto ring = RingReader::Open(map_fd, bytes);
    if (!ring) {
      return tl::unexpected(ring.error());
    }
    ring_ = std::move(*ring);
    return {};
  }

  std::size_t Drain() override { return ring_->Read(sink_); }
  void Release() override { ring_->Release(); }
  std::uint64_t held() const override { return ring_->held(); }
  std::uint64_t position() const override { return ring_->position(); }
  bool MoveTo(std::uint64_t position) override { return ring_->MoveTo(position); }
  int wakeup_fd() const override { return ring_->wakeup_fd(); }

 private:
  Sink sink_;
  std::unique_ptr<RingReader> ring_;
};

/// A buffer for each CPU. What happened on one CPU because of what happened on another may be read
/// first, so that records are put in order by time; those that are younger than the call wait for
/// the next one, because older ones may be missing.
class PerfEventBuffer : public EventBuffer {
 public:
  explicit PerfEventBuffer(Sink sink) : sink_(std::move(sink)) {}
  ~PerfEventBuffer() override { perf_buffer__free(buffer_); }
  PerfEventBuffer(const PerfEventBuffer&) = delete;
  PerfEventBuffer& operator=(const PerfEventBuffer&) = delete;

  /// `bytes` are shared by all CPUs; each has room for two records of `largest` bytes.
  Result<void> Open(int map_fd, std::size_t bytes, std::size_t cpus, std::size_t largest) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::size_t pages = 1;
    while (2 * pages * page * cpus <= bytes || pages * page < 2 * largest) {
      pages *= 2;
    }
    perf_event_attr attributes{};
    attributes.size = sizeof(attributes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_BPF_OUTPUT;
    attributes.sample_type = PERF_SAMPLE_RAW;
    attributes.sample_period = 1;
    attributes.watermark = 1;
    attributes.wakeup_watermark = static_cast<std::uint32_t>(pages * page / 2);
    buffer_ = perf_buffer__new_raw(map_fd, pages, &attributes, &OnRecord, this, nullptr);
    if (buffer_ == nullptr) {
      return Fail(WithErrno("cannot open the perf buffers for events", errno));
    }
    return {};
  }

  std::size_t Drain() override {
    const std::uint64_t begun_ns = BoottimeNs();
    bytes_ = 0;
    perf_buffer__consume(buffer_);
    std::stable_sort(records_.begin(), records_.end(),
                     [](const Record& a, const Record& b) { return a.time_ns < b.time_ns; });
    auto record = records_.begin();
    for (; record != records_.end() && record->time_ns < begun_ns; ++record) {
      sink_(record->bytes.data(), record->bytes.size());
    }
    records_.erase(records_.begin(), record);
    return bytes_;
  }

  int wakeup_fd() const override { return perf_buffer__epoll_fd(buffer_); }

 private:
  struct Record {
    std::uint64_t time_ns = 0;
    std::vector<char> bytes;
  };

  static bpf_perf_event_ret OnRecord(void* self, int /*cpu*/, perf_event_header* header) {
    auto* buffer = static_cast<PerfEventBuffer*>(self);
    buffer->bytes_ += header->size;
    // What had no room was counted where it happened.
    if (header->type != PERF_RECORD_SAMPLE) {
      return LIBBPF_PERF_EVENT_CONT;
    }
    // include/uapi/linux/perf_event.h: a size and so many bytes follow the header.
    const char* at = reinterpret_cast<const char*>(header) + sizeof(*header);
    std::uint32_t size = 0;
    std::memcpy(&size, at, sizeof(size));
    at += sizeof(size);
    abi_event event;
    if (size < sizeof(event)) {
      return LIBBPF_PERF_EVENT_CONT;
    }
    std::memcpy(&event, at, sizeof(event));
    buffer->records_.push_back({event.time_ns, {at, at + size}});
    return LIBBPF_PERF_EVENT_CONT;
  }

  Sink sink_;
  perf_buffer* buffer_ = nullptr;
  std::vector<Record> records_;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<EventBuffer>> EventBuffer::Open(const Programs& programs, Sink sink) {
  const ProgramOptions& options = programs.options();
  if (options.transport == Transport::kRingbuf) {
    auto ring = std::make_unique<RingEventBuffer>(std::move(sink));
    if (auto opened = ring->Open(programs.events_fd(), programs.options().events_bytes); !opened) {
      return tl::unexpected(opened.error());
    }
    return ring;
  }
  auto perf = std::make_unique<PerfEventBuffer>(std::move(sink));
  if (auto opened = perf->Open(programs.events_fd(), options.events_bytes, programs.cpu_count(),
                               sizeof(abi_exec_event) + options.arguments_bytes);
      !opened) {
    return tl::unexpected(opened.error());
  }
  return perf;
}

}  // namespace sched_exporter
