// The filter of system calls refuses what serving doesn't take, and nothing of what it takes.

#include "exporter/app/syscall_filter.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/workload.h"

namespace sched_exporter {
namespace {

/// A system call; -1 and errno where it fails.
struct Call {
  std::string name;
  std::function<long()> make;
  bool is_for_sanitizers = false;  ///< They need it themselves.
};

constexpr std::size_t kMostCalls = 64;

/// What a child process got for each call: 0, or errno.
using Outcomes = std::array<int, kMostCalls>;

/// In a child, because a filter can't be taken back. All 1,000 where the child itself failed.
Outcomes InChild(bool filtered, const std::vector<Call>& calls) {
  auto* shared = static_cast<Outcomes*>(
      mmap(nullptr, sizeof(Outcomes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  shared->fill(1'000);
  const pid_t child = fork();
  if (child == 0) {
    if (filtered && !FilterSystemCalls()) {
      _exit(1);
    }
    for (std::size_t i = 0; i < calls.size(); ++i) {
      shared->at(i) = calls[i].make() < 0 ? errno : 0;
    }
    _exit(0);
  }
  const int code = test_support::Wait(child);
  const Outcomes outcomes = *shared;
  munmap(shared, sizeof(Outcomes));
  EXPECT_EQ(code, 0) << (filtered ? "with" : "without") << " the filter";
  return outcomes;
}

long Bpf(std::uint64_t command) {
  bpf_attr attributes{};
  return syscall(SYS_bpf, command, &attributes, sizeof(attributes));
}

long Fork() {
  const long child = fork();
  if (child == 0) {
    _exit(0);
  }
  return child;
}

long Map(int protection) {
  void* memory = mmap(nullptr, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? -1 : 0;
}

long Protect(int protection) {
  alignas(4096) static std::array<char, 4096> page{};
  return mprotect(page.data(), page.size(), protection);
}

long Bind() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  return bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
}

long Listen() { return listen(socket(AF_INET, SOCK_STREAM, 0), 1); }

long SetLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return setrlimit(RLIMIT_NOFILE, &limit);
}

/// In a thread that begins when the filter is there.
long InThread(const std::function<long()>& make) {
  long result = -1;
  int error = 0;
  std::thread thread([&] {
    result = make();
    error = errno;
  });
  thread.join();
  errno = error;
  return result;
}

/// Those that somebody who got hold of the exporter would like to make. Root could, without the
/// filter.
std::vector<Call> Refused() {
  constexpr std::uint64_t kHighWord = std::uint64_t{1} << 32;
  return {
      {"execve", [] { return execl("/nonexistent", "x", nullptr); }},
      {"execveat", [] { return syscall(SYS_execveat, -1, "/nonexistent", nullptr, nullptr, 0); }},
      {"fork", Fork, true},
      {"ptrace", [] { return ptrace(PTRACE_ATTACH, 0, nullptr, nullptr); }, true},
      {"kill", [] { return static_cast<long>(kill(getpid(), 0)); }, true},
      {"raw socket", [] { return socket(AF_PACKET, SOCK_RAW, 0); }},
      {"netlink socket", [] { return socket(AF_NETLINK, SOCK_RAW, 0); }},
      {"Unix socket", [] { return socket(AF_UNIX, SOCK_STREAM, 0); }},
      {"UDP socket", [] { return socket(AF_INET, SOCK_DGRAM, 0); }},
      {"bind", Bind},
      {"listen", Listen},
      {"bpf program", [] { return Bpf(BPF_PROG_LOAD); }},
      {"bpf program, high word set", [] { return Bpf(kHighWord | BPF_PROG_LOAD); }},
      {"bpf map", [] { return Bpf(BPF_MAP_CREATE); }},
      {"bpf link", [] { return Bpf(BPF_LINK_CREATE); }},
      {"others' bpf programs", [] { return Bpf(BPF_PROG_GET_FD_BY_ID); }},
      {"perf event", [] { return syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0); }},
      {"mount", [] { return mount("none", "/nonexistent", "tmpfs", 0, nullptr); }},
      {"module", [] { return syscall(SYS_finit_module, -1, "", 0); }},
      {"unshare", [] { return unshare(0); }},
      {"setns", [] { return setns(-1, 0); }},
      {"chroot", [] { return chroot("/nonexistent"); }},
      {"setuid", [] { return setuid(getuid()); }},
      {"capset", [] { return syscall(SYS_capset, nullptr, nullptr); }},
      {"prctl", [] { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }, true},
      {"setrlimit", SetLimit, true},
      {"chmod", [] { return chmod("/nonexistent", 0); }},
      {"memfd", [] { return syscall(SYS_memfd_create, "x", 0); }},
      {"memory with code", [] { return Map(PROT_READ | PROT_EXEC); }},
      {"memory becomes code", [] { return Protect(PROT_READ | PROT_EXEC); }},
      {"in a new thread", [] { return InThread([] { return unshare(0); }); }},
  };
}

TEST(SyscallFilter, RefusesWhatServingDoesNotTake) {
  const std::vector<Call> calls = Refused();
  ASSERT_LE(calls.size(), kMostCalls);
  const Outcomes without = InChild(false, calls);
  const Outcomes with = InChild(true, calls);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    SCOPED_TRACE(calls[i].name);
    if (geteuid() == 0) {
      EXPECT_NE(without.at(i), EPERM) << "it is refused either way";
    }
    if (!calls[i].is_for_sanitizers || !test_support::IsSanitized()) {
      EXPECT_EQ(with.at(i), EPERM);
    }
  }
}

long OpenAndRead() {
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  char byte = 0;
  return fd < 0 ? -1 : read(fd, &byte, 1);
}

long Rename() {
  std::string path = "/tmp/sched_exporter_test.XXXXXX";
  const int fd = mkstemp(path.data());
  const bool renamed = fd >= 0 && rename(path.c_str(), (path + "x").c_str()) == 0;
  return renamed ? unlink((path + "x").c_str()) : -1;
}

long AskLimit() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit);
}

TEST(SyscallFilter, LetsThroughWhatServingTakes) {
  const std::vector<Call> calls = {
      {"a file", OpenAndRead},
      {"rename, unlink", Rename},
      {"a thread", [] { return InThread([] { return 0L; }); }},
      {"a thread's name", [] { return -pthread_setname_np(pthread_self(), "name"); }},
      {"TCP", [] { return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }},
      {"memory", [] { return Map(PROT_READ | PROT_WRITE); }},
      {"its protection", [] { return Protect(PROT_READ | PROT_WRITE); }},
      {"limits", AskLimit},
  };
  const Outcomes outcomes = InChild(true, calls);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_EQ(outcomes.at(i), 0) << calls[i].name;
  }
}

TEST(SyscallFilter, MapsThatAreOpenCanBeRead) {
  const std::vector<Call> calls = {{"bpf", [] {
                                      bpf_attr attributes{};
                                      attributes.map_fd = static_cast<std::uint32_t>(-1);
                                      return syscall(SYS_bpf, BPF_MAP_GET_NEXT_KEY, &attributes,
                                                     sizeof(attributes));
                                    }}};
  // There is no such map; who is not root may be told something else, with the filter as without.
  EXPECT_EQ(InChild(true, calls).at(0), InChild(false, calls).at(0));
}

TEST(SyscallFilter, IsForThreadsThatAreThereAlready) {
  const std::vector<Call> calls = {{"in a thread from before", [] {
                                      std::atomic<bool> filtered = false;
                                      long result = 0;
                                      std::thread thread([&] {
                                        while (!filtered) {
                                          std::this_thread::yield();
                                        }
                                        result = unshare(0) < 0 ? errno : 0;
                                      });
                                      const bool done = FilterSystemCalls().has_value();
                                      filtered = true;
                                      thread.join();
                                      errno = static_cast<int>(result);
                                      return done ? -1L : 0L;
                                    }}};
  EXPECT_EQ(InChild(false, calls).at(0), EPERM);
}

TEST(SyscallFilter, AbortsAsWithoutIt) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit none{};
    setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGABRT, SIG_DFL);
    if (!FilterSystemCalls()) {
      _exit(1);
    }
    std::abort();
  }
  EXPECT_EQ(test_support::Wait(child), 128 + SIGABRT);
}

}  // namespace
}  // namespace sched_exporter
