#include "exporter/kernel/task_iterator.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exporter/base/unique_fd.h"
#include "exporter/kernel/convert.h"

namespace sched_exporter {

Result<void> TaskIterator::Read(std::vector<TaskReading>& living, std::vector<TaskKey>& keys) {
  const UniqueFd iterator(bpf_iter_create(link_fd_));
  if (!iterator.valid()) {
    return Fail(WithErrno("cannot start the BPF task iterator", errno));
  }
  std::size_t kept = 0;  // the beginning of a record that a read cut in two
  while (true) {
    const ssize_t bytes = ::read(iterator.get(), buffer_.data() + kept, buffer_.size() - kept);
    if (bytes == 0) {
      return {};
    }
    if (bytes < 0) {
      if (errno == EINTR || errno == EAGAIN) {
        continue;
      }
      return Fail(WithErrno("cannot read the BPF task iterator", errno));
    }
    const std::size_t filled = kept + static_cast<std::size_t>(bytes);
    const std::size_t parsed = Parse(filled, living, keys);
    kept = filled - parsed;
    std::memmove(buffer_.data(), buffer_.data() + parsed, kept);
  }
}

std::size_t TaskIterator::Parse(std::size_t bytes, std::vector<TaskReading>& living,
                                std::vector<TaskKey>& keys) const {
  std::size_t position = 0;
  while (bytes - position >= sizeof(abi_task_key)) {
    abi_living record;
    std::memcpy(&record.current, buffer_.data() + position, sizeof(record.current));
    if (record.current != 0) {
      keys.push_back(record.current);
      position += sizeof(record.current);
      continue;
    }
    if (bytes - position < sizeof(record)) {
      break;
    }
    std::memcpy(&record, buffer_.data() + position, sizeof(record));
    living.push_back({record.key, FromAbi(record.identity), FromAbi(record.figures)});
    position += sizeof(record);
  }
  return position;
}

}  // namespace sched_exporter
