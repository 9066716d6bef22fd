#include "exporter/events/rotating_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace sched_exporter {
namespace {

/// No line of ours is longer.
constexpr off_t kLongestTail = 65'536;

std::string ReadTail(int fd, off_t size) {
  std::string tail(static_cast<std::size_t>(std::min(size, kLongestTail)), '\0');
  const ssize_t count =
      ::pread(fd, tail.data(), tail.size(), size - static_cast<off_t>(tail.size()));
  tail.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return tail;
}

/// Removes half a line of ours at the end of the file. Anything else without an end gets one.
bool EndLastLine(int fd, off_t size) {
  const std::string tail = ReadTail(fd, size);
  if (tail.empty() || tail.back() == '\n') {
    return true;
  }
  const std::size_t begin = tail.rfind('\n') + 1;  // 0 where there is none
  if (tail[begin] == '{') {
    return ::ftruncate(fd, size - static_cast<off_t>(tail.size() - begin)) == 0;
  }
  return ::write(fd, "\n", 1) == 1;
}

}  // namespace

Result<std::unique_ptr<RotatingFile>> RotatingFile::Open(const Settings& settings) {
  std::unique_ptr<RotatingFile> file(new RotatingFile(settings));
  if (const Result<void> opened = file->Reopen(0); !opened) {
    return tl::unexpected<Error>(opened.error());
  }
  return file;
}

Result<void> RotatingFile::Write(std::string_view line, const GiveUp& /*give_up*/) {
  Result<off_t> end = FindEnd();
  if (!end) {
    return tl::unexpected<Error>(end.error());
  }
  const std::uint64_t size = static_cast<std::uint64_t>(*end) + line.size();
  if (settings_.max_bytes > 0 && *end > 0 && size > settings_.max_bytes) {
    if (Result<void> rotated = Rotate(); !rotated) {
      return rotated;
    }
    end = 0;
  }
  return Append(line, *end);
}

Result<void> RotatingFile::Reopen(int more_flags) {
  torn_at_.reset();
  fd_ = UniqueFd();
  // O_NONBLOCK is for a FIFO, which is refused.
  constexpr int kFlags =
      O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  UniqueFd fd(::open(settings_.path.c_str(), kFlags | more_flags, S_IRUSR | S_IWUSR));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return Failed("cannot open", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail("cannot write events to " + settings_.path + ": not a regular file");
  }
  if (!EndLastLine(fd.get(), status.st_size)) {
    return Failed("cannot end the last line of", errno);
  }
  fd_ = std::move(fd);
  return {};
}

/// False where others have deleted or renamed the file, as logrotate does.
bool RotatingFile::IsAtItsPlace() const {
  struct stat opened {};
  struct stat named {};
  return fd_.valid() && ::fstat(fd_.get(), &opened) == 0 &&
         ::lstat(settings_.path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

/// The end of the last whole line. The file's size is asked for each time, because others may
/// empty it.
Result<off_t> RotatingFile::FindEnd() {
  struct stat status {};
  if (!IsAtItsPlace()) {
    if (const Result<void> opened = Reopen(0); !opened) {
      return tl::unexpected<Error>(opened.error());
    }
  }
  if (torn_at_ && ::ftruncate(fd_.get(), *torn_at_) != 0) {
    return Failed("cannot remove half a line from", errno);
  }
  torn_at_.reset();
  if (::fstat(fd_.get(), &status) != 0) {
    return Failed("cannot read the size of", errno);
  }
  return status.st_size;
}

Result<void> RotatingFile::Rotate() {
  if (settings_.keep == 0) {
    return Reopen(O_TRUNC);
  }
  if (Result<void> shifted = ShiftOldFiles(); !shifted) {
    return shifted;
  }
  return Reopen(0);
}

/// Only as far as there are files, so that a rotation which failed and is tried again and again
/// doesn't push the old files out.
Result<void> RotatingFile::ShiftOldFiles() {
  std::uint32_t free = 1;
  while (free < settings_.keep && ::access(OldPath(free).c_str(), F_OK) == 0) {
    ++free;
  }
  for (std::uint32_t age = free; age > 0; --age) {
    if (::rename(OldPath(age - 1).c_str(), OldPath(age).c_str()) != 0 && errno != ENOENT) {
      return Failed("cannot rotate", errno);
    }
  }
  return {};
}

Result<void> RotatingFile::Append(std::string_view line, off_t end) {
  std::string_view left = line;
  while (!left.empty()) {
    const ssize_t count = ::write(fd_.get(), left.data(), left.size());
    if (count >= 0) {
      left.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      const int error = errno;
      if (left.size() < line.size() && ::ftruncate(fd_.get(), end) != 0) {
        torn_at_ = end;
      }
      return Failed("cannot write to", error);
    }
  }
  return {};
}

std::string RotatingFile::OldPath(std::uint32_t age) const {
  return age == 0 ? settings_.path : settings_.path + "." + std::to_string(age);
}

tl::unexpected<Error> RotatingFile::Failed(const std::string& what, int error) const {
  return Fail(WithErrno(what + " the events file " + settings_.path, error));
}

}  // namespace sched_exporter
