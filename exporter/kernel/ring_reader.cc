#include "exporter/kernel/ring_reader.h"

#include <linux/bpf.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace sched_exporter {
namespace {

constexpr std::size_t kAlignment = 8;

/// What a record takes with its header; `length` is that of the header.
std::size_t RoomOf(std::uint32_t length) {
  const std::size_t bytes = (length & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ;
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Result<std::unique_ptr<RingReader>> RingReader::Open(int map_fd, std::size_t bytes) {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  // At the edge: the buffer counts as readable while it holds anything, also what was read.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (!epoll.valid() || epoll_ctl(epoll.get(), EPOLL_CTL_ADD, map_fd, &event) != 0) {
    return Fail(WithErrno("cannot wait for the BPF ring buffer events", errno));
  }
  std::unique_ptr<RingReader> reader(new RingReader(std::move(epoll), bytes));
  if (auto mapped = reader->Map(map_fd); !mapped) {
    return tl::unexpected(mapped.error());
  }
  reader->position_ = __atomic_load_n(reader->consumer_, __ATOMIC_ACQUIRE);
  return reader;
}

/// A page to write, then a page and the records, twice, to read.
Result<void> RingReader::Map(int map_fd) {
  page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* consumer = mmap(nullptr, page_, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
  if (consumer == MAP_FAILED) {
    return Fail(WithErrno("cannot map the BPF ring buffer events", errno));
  }
  consumer_ = static_cast<unsigned long*>(consumer);
  void* producer =
      mmap(nullptr, page_ + 2 * bytes_, PROT_READ, MAP_SHARED, map_fd, static_cast<off_t>(page_));
  if (producer == MAP_FAILED) {
    return Fail(WithErrno("cannot map the records of the BPF ring buffer events", errno));
  }
  producer_ = static_cast<const unsigned long*>(producer);
  records_ = static_cast<const char*>(producer) + page_;
  return {};
}

RingReader::~RingReader() {
  if (producer_ != nullptr) {
    munmap(const_cast<unsigned long*>(producer_), page_ + 2 * bytes_);
  }
  if (consumer_ != nullptr) {
    munmap(consumer_, page_);
  }
}

std::size_t RingReader::Read(const Sink& sink) {
  std::array<epoll_event, 1> wakeup{};
  static_cast<void>(epoll_wait(epoll_.get(), wakeup.data(), wakeup.size(), 0));
  const std::uint64_t begun = position_;
  const std::uint64_t end = __atomic_load_n(producer_, __ATOMIC_ACQUIRE);
  while (position_ < end) {
    const char* const header = records_ + (position_ & (bytes_ - 1));
    const std::uint32_t length =
        __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
    if ((length & BPF_RINGBUF_BUSY_BIT) != 0) {
      break;
    }
    position_ += RoomOf(length);
    if ((length & BPF_RINGBUF_DISCARD_BIT) == 0) {
      sink(header + BPF_RINGBUF_HDR_SZ, length);
    }
  }
  return position_ - begun;
}

void RingReader::Release() { __atomic_store_n(consumer_, position_, __ATOMIC_RELEASE); }

bool RingReader::MoveTo(std::uint64_t position) {
  if (position < __atomic_load_n(consumer_, __ATOMIC_ACQUIRE) ||
      position > __atomic_load_n(producer_, __ATOMIC_ACQUIRE)) {
    return false;
  }
  position_ = position;
  return true;
}

std::uint64_t RingReader::held() const {
  return position_ - __atomic_load_n(consumer_, __ATOMIC_RELAXED);
}

}  // namespace sched_exporter
