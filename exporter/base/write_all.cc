#include "exporter/base/write_all.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>

namespace sched_exporter {

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace sched_exporter
