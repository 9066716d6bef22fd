#include "exporter/identity/living_image.h"

#include <unistd.h>

#include <array>
#include <memory>

namespace sched_exporter {

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
