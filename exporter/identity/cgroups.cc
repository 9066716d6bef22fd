#include "exporter/identity/cgroups.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

namespace sched_exporter {
namespace {

constexpr std::size_t kMaxDirectories = 1'000'000;

struct Mount {
  std::string root;
  std::string mount_point;
  std::string type;
  std::string options;
};

/// Space, tab, newline and backslash are octal there: `\040`.
std::string DecodeOctal(const std::string& text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() &&
        text.find_first_not_of("01234567", i + 1) >= i + 4) {
      decoded += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// The fields of one line of mountinfo; proc(5), /proc/pid/mountinfo.
bool ParseMount(const std::string& line, Mount& mount) {
  std::istringstream words(line);
  std::string word;
  std::vector<std::string> fields;
  while (words >> word) {
    fields.push_back(word);
  }
  for (std::size_t i = 6; i + 3 < fields.size(); ++i) {
    if (fields[i] == "-") {
      mount = {fields[3], DecodeOctal(fields[4]), fields[i + 1], fields[i + 3]};
      return true;
    }
  }
  return false;
}

bool HasController(const std::string& options, const std::string& controller) {
  std::istringstream words(options);
  std::string word;
  while (std::getline(words, word, ',')) {
    if (word == controller) {
      return true;
    }
  }
  return false;
}

struct Mounts {
  std::string v2;
  std::string cpu;
  std::string cpuacct;
};

bool IsWithin(const std::string& path, const std::string& top) {
  return top.empty() || path == top || path.starts_with(top + "/");
}

/// The first mount of each hierarchy, with `whole` only of those that show it from its root.
Mounts FindMounts(const std::string& mountinfo, const std::string& below, bool whole) {
  Mounts found;
  std::istringstream lines(mountinfo);
  std::string line;
  Mount mount;
  const auto keep_first = [](std::string& to, const std::string& from) {
    if (to.empty()) {
      to = from;
    }
  };
  while (std::getline(lines, line)) {
    if (!ParseMount(line, mount) || (whole && mount.root != "/") ||
        !IsWithin(mount.mount_point, below)) {
      continue;
    }
    if (mount.type == "cgroup2") {
      keep_first(found.v2, mount.mount_point);
    } else if (mount.type == "cgroup" && HasController(mount.options, "cpuacct")) {
      keep_first(found.cpuacct, mount.mount_point);
    }
    if (mount.type == "cgroup" && HasController(mount.options, "cpu")) {
      keep_first(found.cpu, mount.mount_point);
    }
  }
  return found;
}

}  // namespace

Result<CgroupMount> ChooseCgroupMount(const std::string& mountinfo, HierarchyChoice choice,
                                      const std::string& below) {
  Mounts mounts = FindMounts(mountinfo, below, true);
  if (mounts.v2.empty() && mounts.cpu.empty() && mounts.cpuacct.empty()) {
    mounts = FindMounts(mountinfo, below, false);  // a container's part is better than nothing
  }
  const bool any = choice == HierarchyChoice::kAuto;
  const bool no_v1 = mounts.cpu.empty() && mounts.cpuacct.empty();
  if ((choice == HierarchyChoice::kV2 || (any && no_v1)) && !mounts.v2.empty()) {
    return CgroupMount{Hierarchy::kV2, mounts.v2};
  }
  if ((choice == HierarchyChoice::kCpuacct || any) && !mounts.cpuacct.empty()) {
    return CgroupMount{Hierarchy::kCpuacct, mounts.cpuacct};
  }
  if ((choice == HierarchyChoice::kCpu || any) && !mounts.cpu.empty()) {
    return CgroupMount{Hierarchy::kCpu, mounts.cpu};
  }
  return Fail(
      "cannot find the cgroup hierarchy that cgroup.hierarchy asks for in /proc/self/mountinfo" +
      (below.empty() ? "" : " below " + below + " (--path.cgroupfs)") +
      "; mount it, or choose another of auto, v2, cpu, cpuacct");
}

Result<std::uint32_t> HierarchyId(const std::string& self_cgroup, Hierarchy hierarchy) {
  if (hierarchy == Hierarchy::kV2) {
    return 0U;
  }
  const std::string wanted = hierarchy == Hierarchy::kCpu ? "cpu" : "cpuacct";
  std::istringstream lines(self_cgroup);
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second != std::string::npos &&
        HasController(line.substr(first + 1, second - first - 1), wanted)) {
      return static_cast<std::uint32_t>(std::strtoul(line.c_str(), nullptr, 10));
    }
  }
  return Fail("cannot find the " + wanted + " hierarchy in /proc/self/cgroup");
}

void CgroupTree::Scan() {
  former_ = std::move(paths_);
  paths_.clear();
  std::vector<std::string> waiting{"/"};
  while (!waiting.empty() && paths_.size() < kMaxDirectories) {
    const std::string path = std::move(waiting.back());
    waiting.pop_back();
    struct stat status {};
    if (::stat((mount_point_ + path).c_str(), &status) != 0) {
      continue;  // removed meanwhile
    }
    paths_[status.st_ino] = path;
    std::error_code error;
    std::filesystem::directory_iterator entry(mount_point_ + path, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
      std::error_code is_directory_error;
      if (entry->is_directory(is_directory_error) && !entry->is_symlink(is_directory_error)) {
        waiting.push_back((path == "/" ? path : path + "/") + entry->path().filename().native());
      }
    }
  }
}

bool CgroupTree::HasDirectory(const std::string& path) const {
  struct stat status {};
  return path.starts_with('/') && ::stat((mount_point_ + path).c_str(), &status) == 0;
}

const std::string* CgroupTree::Find(std::uint64_t id) const {
  if (const auto entry = paths_.find(id); entry != paths_.end()) {
    return &entry->second;
  }
  const auto entry = former_.find(id);
  return entry == former_.end() ? nullptr : &entry->second;
}

}  // namespace sched_exporter
