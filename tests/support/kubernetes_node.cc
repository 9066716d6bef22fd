#include "tests/support/kubernetes_node.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <thread>

namespace sched_exporter::test_support {
namespace {

namespace fs = std::filesystem;

constexpr int kEnd = 1'000'000;
constexpr std::chrono::milliseconds kBurst{20};

std::string RandomHex(std::size_t digits) {
  static std::mt19937_64 random{std::random_device()()};
  std::uniform_int_distribution<std::size_t> digit(0, 15);
  std::string text(digits, '0');
  std::generate(text.begin(), text.end(), [&] { return "0123456789abcdef"[digit(random)]; });
  return text;
}

bool RunLoad() {
  constexpr int kPrograms = 20;
  std::thread thread([] { BurnInSystemCalls(kBurst); });
  const pid_t child = Fork([] {
    const pid_t grandchild = Fork([] {
      Burn(kBurst);
      return true;
    });
    Burn(kBurst);
    return Wait(grandchild) == 0;
  });
  Burn(kBurst);
  thread.join();
  return Wait(child) == 0 && SpawnMany("/bin/true", kPrograms, 4);
}

std::string DirectoryName(const Pod& pod) {
  return "/pods/" + pod.pod_namespace + "_" + pod.name + "_" + pod.uid;
}

std::string SystemdPath(const Pod& pod, const std::string& id) {
  std::string uid = pod.uid;
  std::replace(uid.begin(), uid.end(), '-', '_');
  std::string slice = "kubepods";
  std::string path = "/kubepods.slice";
  if (pod.qos != "guaranteed") {
    slice += "-" + pod.qos;
    path += "/" + slice + ".slice";
  }
  return path + "/" + slice + "-pod" + uid + ".slice/cri-containerd-" + id + ".scope";
}

}  // namespace

Pod MakePod(const std::string& pod_namespace, const std::string& prefix, const std::string& qos,
            bool is_static) {
  const std::string uid = is_static ? RandomHex(32)
                                    : RandomHex(8) + "-" + RandomHex(4) + "-" + RandomHex(4) + "-" +
                                          RandomHex(4) + "-" + RandomHex(12);
  return {pod_namespace, prefix + "-" + RandomHex(5), uid, qos};
}

std::string MakeContainerId() { return RandomHex(64); }

std::string ContainerPath(CgroupDriver driver, const Pod& pod, const std::string& id) {
  if (driver == CgroupDriver::kSystemd) {
    return SystemdPath(pod, id);
  }
  return "/kubepods" + (pod.qos == "guaranteed" ? "" : "/" + pod.qos) + "/pod" + pod.uid + "/" + id;
}

void NodeLogs::AddPod(const Pod& pod) const {
  fs::create_directories(path() + "/containers");
  fs::create_directories(path() + DirectoryName(pod));
}

void NodeLogs::AddContainer(const Pod& pod, const std::string& name, const std::string& id) const {
  const std::string log = DirectoryName(pod) + "/" + name + "/0.log";
  fs::create_directories(path() + DirectoryName(pod) + "/" + name);
  directory_.Write(log, "");
  fs::create_symlink(path() + log, path() + "/containers/" + pod.name + "_" + pod.pod_namespace +
                                       "_" + name + "-" + id + ".log");
}

void NodeLogs::RemovePod(const Pod& pod) const {
  fs::remove_all(path() + DirectoryName(pod));
  for (const auto& entry : fs::directory_iterator(path() + "/containers")) {
    if (entry.path().filename().native().starts_with(pod.name + "_" + pod.pod_namespace + "_")) {
      fs::remove(entry.path());
    }
  }
}

ContainerProcess::ContainerProcess(const CgroupDirectory& cgroup) {
  // As containers' runtimes do it. Where that fails, End() says so.
  pid_ = ForkMoved(
      [&](pid_t pid) {
        is_in_cgroup_ = cgroup.Add(pid);
        return true;
      },
      [this] { return Run(); });
  done_.WaitFor(++rounds_);
}

bool ContainerProcess::Run() const {
  bool good = true;
  for (int round = 1;; ++round) {
    const_cast<Gate&>(done_).Open(round);
    asked_.WaitFor(round);
    if (asked_.step() == kEnd) {
      return good;
    }
    good = RunLoad() && good;
  }
}

void ContainerProcess::Work() {
  asked_.Open(rounds_);
  done_.WaitFor(++rounds_);
}

bool ContainerProcess::End() {
  if (pid_ < 0) {
    return false;
  }
  asked_.Open(kEnd);
  const bool good = Wait(pid_) == 0;
  pid_ = -1;
  return good && is_in_cgroup_;
}

}  // namespace sched_exporter::test_support
