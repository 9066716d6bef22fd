#include "tests/support/cgroup.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>

namespace sched_exporter::test_support {

std::vector<CgroupHost> TestableHierarchies() {
  std::vector<CgroupHost> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string line;
  // A hierarchy may be mounted more than once; the first is the host's own place for it.
  const auto add = [&](const std::string& hierarchy, const std::string& directory) {
    for (const CgroupHost& host : found) {
      if (host.hierarchy == hierarchy) {
        return;
      }
    }
    found.push_back({hierarchy, directory});
  };
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string device;
    std::string directory;
    std::string type;
    std::string options;
    fields >> device >> directory >> type >> options;
    if (type == "cgroup2") {
      add("v2", directory);
    } else if (type == "cgroup" && ("," + options + ",").find(",cpuacct,") != std::string::npos) {
      add("cpuacct", directory);
    }
  }
  return found;
}

CgroupHost UnifiedHost() {
  for (const CgroupHost& host : TestableHierarchies()) {
    if (host.hierarchy == "v2") {
      return host;
    }
  }
  return {};
}

pid_t ForkInto(const std::string& directory, const std::function<void()>& body) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<std::uint64_t>(fd);
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid == 0) {
    body();
    _exit(0);
  }
  close(fd);
  return pid;
}

std::vector<CgroupHost> HierarchiesWith(const std::string& controller) {
  std::vector<CgroupHost> found;
  std::ifstream mounts("/proc/self/mounts");
  std::string device;
  std::string directory;
  std::string type;
  std::string rest;
  while (mounts >> device >> directory >> type && std::getline(mounts, rest)) {
    std::string enabled;
    std::getline(std::ifstream(directory + "/cgroup.controllers"), enabled);
    if (type == "cgroup2" &&
        (" " + enabled + " ").find(" " + controller + " ") != std::string::npos) {
      std::ofstream(directory + "/cgroup.subtree_control") << "+" + controller;
      found.push_back({"v2", directory});
    } else if (type == "cgroup" && directory.ends_with("/" + controller)) {
      found.push_back({controller, directory});
    }
  }
  return found;
}

namespace {

bool RemoveDirectory(const std::string& directory) {
  // A process that was just reaped may hold its cgroup for a moment.
  for (int i = 0; i < 100; ++i) {
    if (rmdir(directory.c_str()) == 0) {
      return true;
    }
    if (errno != EBUSY) {
      return false;
    }
    usleep(10'000);
  }
  return false;
}

/// By this program, on the way to a cgroup.
std::set<std::string>& MadeAbove() {
  static std::set<std::string> made;
  return made;
}

bool AddTo(const std::string& directory, pid_t pid) {
  std::ofstream file(directory + "/cgroup.procs");
  file << pid << std::flush;
  return file.good();
}

std::uint64_t UsageNsOf(const std::string& hierarchy, const std::string& directory) {
  if (hierarchy != "v2") {
    std::uint64_t usage = 0;
    std::ifstream(directory + "/cpuacct.usage") >> usage;
    return usage;
  }
  std::ifstream file(directory + "/cpu.stat");
  std::string name;
  std::uint64_t value = 0;
  while (file >> name >> value) {
    if (name == "usage_usec") {
      return value * 1000;
    }
  }
  return 0;
}

}  // namespace

CgroupDirectory::CgroupDirectory(const CgroupHost& host, const std::string& path)
    : hierarchy_(host.hierarchy), label_(path), directory_(host.mount_point + path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    above_.push_back(host.mount_point + path.substr(0, slash));
    if (mkdir(above_.back().c_str(), 0755) == 0) {
      MadeAbove().insert(above_.back());
    }
  }
  mkdir(directory_.c_str(), 0755);
}

/// Those above may be shared with others of this program: the last one removes them.
CgroupDirectory::~CgroupDirectory() {
  Remove();
  for (auto directory = above_.rbegin(); directory != above_.rend(); ++directory) {
    if (MadeAbove().contains(*directory) && rmdir(directory->c_str()) == 0) {
      MadeAbove().erase(*directory);
    }
  }
}

bool CgroupDirectory::Add(pid_t pid) const { return AddTo(directory_, pid); }

std::uint64_t CgroupDirectory::UsageNs() const { return UsageNsOf(hierarchy_, directory_); }

bool CgroupDirectory::Remove() const { return RemoveDirectory(directory_); }

bool CgroupDirectory::MakeAgain() const { return mkdir(directory_.c_str(), 0755) == 0; }

TestCgroup::TestCgroup(const CgroupHost& host, const std::string& name)
    : host_(host),
      label_("/sched_exporter_test_" + name + "_" + std::to_string(getpid())),
      directory_(host.mount_point + label_) {
  mkdir(directory_.c_str(), 0755);
}

TestCgroup::~TestCgroup() { RemoveDirectory(directory_); }

bool TestCgroup::Add(pid_t pid) const { return AddTo(directory_, pid); }

std::uint64_t TestCgroup::UsageNs() const { return UsageNsOf(host_.hierarchy, directory_); }

}  // namespace sched_exporter::test_support
