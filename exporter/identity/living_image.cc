#include "exporter/identity/living_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <memory>

#include "exporter/base/unique_fd.h"

namespace sched_exporter {

std::string ArgumentsOfLiving(std::uint32_t pid, const std::string& procfs) {
  constexpr std::size_t kMostBytes = 65'536;
  const UniqueFd file(
      ::open((procfs + "/" + std::to_string(pid) + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::string arguments;
  std::array<char, 4096> part{};
  while (file.valid() && arguments.size() < kMostBytes) {
    const ssize_t bytes = ::read(file.get(), part.data(), part.size());
    if (bytes <= 0) {
      break;
    }
    arguments.append(part.data(), static_cast<std::size_t>(bytes));
  }
  return arguments;
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
