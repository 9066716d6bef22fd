#include "exporter/identity/process_details.h"

#include <pwd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "exporter/base/text.h"
#include "exporter/identity/living_image.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxUsers = 10'000;

/// From the file alone: getpwuid() may ask a directory server, and no server may hold up a sweep.
std::optional<std::string> NameInPasswd(std::uint32_t uid) {
  std::FILE* file = std::fopen("/etc/passwd", "re");
  if (file == nullptr) {
    return std::nullopt;
  }
  std::optional<std::string> name;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  while (!name && fgetpwent_r(file, &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (found->pw_uid == uid) {
      name = PrintableText(found->pw_name);
    }
  }
  std::fclose(file);
  return name;
}

}  // namespace

std::string ProcessDetails::ReadExe(std::uint32_t pid) const {
  const ProgramImagePtr image = ImageOfLiving(pid, procfs_);
  return image == nullptr ? std::string() : PrintableText(image->file);
}

std::string ProcessDetails::UserName(std::uint32_t uid) {
  if (const auto known = users_.find(uid); known != users_.end()) {
    return known->second;
  }
  std::string name = NameInPasswd(uid).value_or(std::to_string(uid));
  if (users_.size() >= kMaxUsers) {
    users_.clear();
  }
  return users_[uid] = std::move(name);
}

const ProcessDetails::Details& ProcessDetails::Of(const ProcessRow& process) {
  Entry& entry = entries_[process.pid];
  entry.used = true;
  const std::uint64_t start_ns = process.population.oldest_start_ns;
  if (entry.start_ns != start_ns || entry.comm != process.comm || entry.uid != process.uid) {
    entry.start_ns = start_ns;
    entry.comm = process.comm;
    entry.uid = process.uid;
    entry.details.exe = process.kernel_thread ? std::string() : ReadExe(process.pid);
    entry.details.user = UserName(process.uid);
  }
  return entry.details;
}

void ProcessDetails::Prune() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.used; });
  for (auto& [pid, entry] : entries_) {
    entry.used = false;
  }
}

}  // namespace sched_exporter
