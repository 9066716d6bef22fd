#include "exporter/identity/process_details.h"

#include <pwd.h>
#include <unistd.h>

#include <array>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxUsers = 10'000;

}  // namespace

std::string ProcessDetails::ReadExe(std::uint32_t pid) const {
  std::array<char, 4096> target{};
  const std::string link = procfs_ + "/" + std::to_string(pid) + "/exe";
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return length <= 0 ? std::string()
                     : PrintableText({target.data(), static_cast<std::size_t>(length)});
}

std::string ProcessDetails::UserName(std::uint32_t uid) {
  if (const auto known = users_.find(uid); known != users_.end()) {
    return known->second;
  }
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  const int error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  std::string name =
      error == 0 && found != nullptr ? PrintableText(found->pw_name) : std::to_string(uid);
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
