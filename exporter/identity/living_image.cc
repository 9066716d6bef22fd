#include "exporter/identity/living_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {

std::string ArgumentsOfLiving(std::uint32_t pid, const std::string& procfs) {
  const UniqueFd file(
      ::open((procfs + "/" + std::to_string(pid) + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> arguments{};
  const ssize_t bytes = file.valid() ? ::read(file.get(), arguments.data(), arguments.size()) : 0;
  return {arguments.data(), static_cast<std::size_t>(std::max<ssize_t>(bytes, 0))};
}

ProgramImagePtr ImageOfLiving(std::uint32_t pid, const std::string& procfs) {
  std::array<char, 4096> target{};
  const std::string link = procfs + "/" + std::to_string(pid) + "/exe";
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) {
    return nullptr;
  }
  auto image = std::make_shared<ProgramImage>();
  image->file.assign(target.data(), static_cast<std::size_t>(length));
  return image;
}

}  // namespace sched_exporter
