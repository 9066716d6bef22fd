#include "exporter/events/descriptor_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstddef>
#include <utility>

namespace sched_exporter {
namespace {

constexpr int kPollMs = 50;

// A pipe that polls writable takes this without blocking (pipe_poll() in fs/pipe.c: a slot is free,
// and a slot is a page).
constexpr std::size_t kChunk = PIPE_BUF;

/// O_NONBLOCK belongs to what all holders of a descriptor share, so that setting it would break the
/// others. A pipe or terminal that is opened anew shares nothing. Invalid where that can't be.
UniqueFd OpenAnew(int fd, const struct stat& status) {
  const bool is_terminal = S_ISCHR(status.st_mode) && ::isatty(fd) == 1;
  if (!S_ISFIFO(status.st_mode) && !is_terminal) {
    return {};
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return UniqueFd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

DescriptorSink::DescriptorSink(int fd, std::string name) : name_(std::move(name)), fd_(fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) {
    return;  // writing fails, and says why
  }
  is_socket_ = S_ISSOCK(status.st_mode);
  own_ = OpenAnew(fd, status);
  if (own_.valid()) {
    fd_ = own_.get();
  }
}

Result<void> DescriptorSink::Write(std::string_view line, const GiveUp& give_up) {
  if (!rest_.empty()) {
    std::string_view rest = rest_;
    Result<void> completed = WriteAll(rest, give_up);
    rest_ = std::string(rest);
    if (!completed) {
      return completed;
    }
  }
  std::string_view left = line;
  Result<void> written = WriteAll(left, give_up);
  const bool is_cut = !written && left.size() < line.size();
  if (is_cut && !is_over_ && !give_up()) {
    rest_ = std::string(left);
    return {};
  }
  return written;
}

Result<void> DescriptorSink::WriteAll(std::string_view& bytes, const GiveUp& give_up) {
  while (!bytes.empty()) {
    if (give_up()) {
      return Fail("cannot write to " + name_ + ": it takes nothing");
    }
    pollfd writable{fd_, POLLOUT, 0};
    if (::poll(&writable, 1, kPollMs) == 0) {
      continue;
    }
    const std::string_view chunk = bytes.substr(0, kChunk);
    const ssize_t count = is_socket_
                              ? ::send(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                              : ::write(fd_, chunk.data(), chunk.size());
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      ::poll(nullptr, 0, kPollMs);  // it polls writable, but hasn't room for a chunk
    } else if (errno != EINTR) {
      const int error = errno;
      is_over_ = error == EPIPE;
      return Fail(WithErrno("cannot write to " + name_, error));
    }
  }
  return {};
}

}  // namespace sched_exporter
