#include "exporter/config/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {
namespace {

Result<void> ReadInto(int fd, const std::string& name, std::string& text) {
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(fd, text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Fail(WithErrno("cannot read " + name, errno));
    }
    if (count == 0) {
      break;
    }
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return {};
}

}  // namespace

Result<SmallFile> ReadSmallFile(const std::string& path, const std::string& what,
                                std::size_t most_bytes) {
  const std::string name = what + " " + path;
  // O_NONBLOCK keeps open itself from waiting for the writer of a FIFO; regular files ignore it.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return Fail(WithErrno("cannot open " + name, errno));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return Fail(WithErrno("cannot stat " + name, errno));
  }
  // A FIFO would block, a device may never end.
  if (!S_ISREG(status.st_mode)) {
    return Fail("cannot read " + name + ": not a regular file");
  }
  SmallFile file{std::string(most_bytes + 1, '\0'), status.st_mode};
  if (auto read = ReadInto(fd.get(), name, file.text); !read) {
    return tl::unexpected(read.error());
  }
  return file;
}

}  // namespace sched_exporter
