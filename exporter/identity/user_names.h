#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace sched_exporter {

/// Names of users from the file passwd(5) alone: getpwuid() may ask a directory server, and no
/// server may hold up a sweep. A name is read once.
class UserNames {
 public:
  /// `rootfs` stands before /etc/passwd.
  explicit UserNames(const std::string& rootfs = {}) : file_(rootfs + "/etc/passwd") {}

  /// Printable; the uid in digits where it has no name.
  const std::string& Of(std::uint32_t uid);

 private:
  std::string file_;
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace sched_exporter
