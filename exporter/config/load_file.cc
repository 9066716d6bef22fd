#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "exporter/base/unique_fd.h"
#include "exporter/config/loader.h"

namespace sched_exporter {
namespace {

/// Opens `path` if it is a regular file: a FIFO would block, a device may never end.
Result<UniqueFd> OpenRegularFile(const std::string& path) {
  // O_NONBLOCK keeps open itself from waiting for the writer of a FIFO; regular files ignore it.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    return Fail(WithErrno("cannot open config file " + path, errno));
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return Fail(WithErrno("cannot stat config file " + path, errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail("cannot read config file " + path + ": not a regular file");
  }
  return fd;
}

/// Reads `fd` to its end, but at most one byte more than a config may have: enough to refuse it,
/// whatever the file's size claims to be.
Result<std::string> ReadLimited(const UniqueFd& fd, const std::string& path) {
  std::string text(kMaxConfigBytes + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t count = ::read(fd.get(), text.data() + filled, text.size() - filled);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return Fail(WithErrno("cannot read config file " + path, errno));
    }
    if (count == 0) {
      break;
    }
    filled += static_cast<std::size_t>(count);
  }
  text.resize(filled);
  return text;
}

}  // namespace

Result<Config> LoadConfig(const std::string& path) {
  return OpenRegularFile(path)
      .and_then([&path](const UniqueFd& fd) { return ReadLimited(fd, path); })
      .and_then([&path](const std::string& text) { return ParseConfig(text, path); });
}

}  // namespace sched_exporter
