#include "exporter/identity/user_names.h"

#include <pwd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxUsers = 10'000;

std::optional<std::string> NameInFile(const std::string& path, std::uint32_t uid) {
  std::FILE* file = std::fopen(path.c_str(), "re");
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

const std::string& UserNames::Of(std::uint32_t uid) {
  if (const auto known = names_.find(uid); known != names_.end()) {
    return known->second;
  }
  if (names_.size() >= kMaxUsers) {
    names_.clear();
  }
  return names_[uid] = NameInFile(file_, uid).value_or(std::to_string(uid));
}

}  // namespace sched_exporter
