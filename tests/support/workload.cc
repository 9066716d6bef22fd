#include "tests/support/workload.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "tests/support/wait_until.h"

extern char** environ;

namespace sched_exporter::test_support {

SchedStat ReadSchedStat(pid_t pid) {
  SchedStat stat;
  std::ifstream("/proc/" + std::to_string(pid) + "/schedstat") >> stat.run_ns >> stat.wait_ns >>
      stat.timeslices;
  return stat;
}

SchedStat ReadProcessSchedStat(pid_t pid) {
  SchedStat sum;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task", error)) {
    const SchedStat stat = ReadSchedStat(std::stoi(task.path().filename()));
    sum.run_ns += stat.run_ns;
    sum.wait_ns += stat.wait_ns;
    sum.timeslices += stat.timeslices;
  }
  return sum;
}

pid_t ForkOrAbort() {
  const pid_t pid = fork();
  if (pid < 0) {
    std::perror("fork");
    std::abort();
  }
  return pid;
}

pid_t Fork(const std::function<bool()>& body) {
  const pid_t pid = ForkOrAbort();
  if (pid == 0) {
    // A test that fails must not leave busy loops behind.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(body() ? 0 : 1);
  }
  return pid;
}

int Wait(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) {
    return -1;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::uint64_t ThreadCpuNs() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_nsec);
}

void Burn(std::chrono::milliseconds cpu_time) {
  const std::uint64_t end =
      ThreadCpuNs() + static_cast<std::uint64_t>(cpu_time.count()) * 1'000'000U;
  while (ThreadCpuNs() < end) {
    for (int i = 0; i < 100'000; ++i) {
      asm volatile("" ::: "memory");
    }
  }
}

void BurnInSystemCalls(std::chrono::milliseconds cpu_time) {
  const std::uint64_t end =
      ThreadCpuNs() + static_cast<std::uint64_t>(cpu_time.count()) * 1'000'000U;
  char buffer[65536];
  FILE* zero = fopen("/dev/zero", "re");
  while (ThreadCpuNs() < end) {
    for (int i = 0; i < 20; ++i) {
      [[maybe_unused]] const ssize_t bytes = read(fileno(zero), buffer, sizeof(buffer));
    }
  }
  fclose(zero);
}

bool PinTo(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  return sched_setaffinity(0, sizeof(set), &set) == 0;
}

void SetComm(const std::string& comm) { prctl(PR_SET_NAME, comm.c_str(), 0, 0, 0); }

bool IsAsleep(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  return line.find(") S ") != std::string::npos;
}

pid_t ForkMoved(const std::function<bool(pid_t)>& move, const std::function<bool()>& body) {
  // Not a Gate, which wakes now and then.
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return -1;
  }
  const pid_t pid = Fork([&] {
    close(ends[1]);
    char is_moved = 0;
    return read(ends[0], &is_moved, 1) == 1 && is_moved == 1 && body();
  });
  const char is_moved = WaitUntil([&] { return IsAsleep(pid); }) && move(pid) ? 1 : 0;
  [[maybe_unused]] const ssize_t written = write(ends[1], &is_moved, 1);
  close(ends[0]);
  close(ends[1]);
  return pid;
}

int ShareOfLoad(int full, int least) {
  const char* const percent = std::getenv("SCHED_EXPORTER_TEST_LOAD");
  return percent != nullptr ? std::max(least, full * std::atoi(percent) / 100) : full;
}

bool IsEmulated() { return std::getenv("SCHED_EXPORTER_TEST_LOAD") != nullptr; }

bool SpawnMany(const std::string& program, int count, int parallel) {
  std::string path = program;
  char* arguments[] = {path.data(), nullptr};
  int running = 0;
  for (int i = 0; i < count; ++i) {
    pid_t pid = 0;
    if (posix_spawn(&pid, path.c_str(), nullptr, nullptr, arguments, environ) != 0) {
      return false;
    }
    if (++running == parallel) {
      wait(nullptr);
      --running;
    }
  }
  while (running-- > 0) {
    wait(nullptr);
  }
  return true;
}

Gate::Gate()
    : step_(static_cast<volatile int*>(
          mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {}

Gate::~Gate() { munmap(const_cast<int*>(step_), sizeof(int)); }

void Gate::Open(int step) { __atomic_store_n(step_, step, __ATOMIC_SEQ_CST); }

int Gate::step() const { return __atomic_load_n(step_, __ATOMIC_SEQ_CST); }

void Gate::WaitFor(int step) const {
  while (this->step() < step) {
    usleep(1000);
  }
}

pid_t PingPong(int cpu, const Gate& end, volatile long* rounds) {
  return Fork([cpu, &end, rounds] {
    PinTo(cpu);
    int there[2];
    int back[2];
    if (pipe(there) != 0 || pipe(back) != 0) {
      return false;
    }
    char byte = 0;
    const pid_t partner = Fork([&] {
      close(there[1]);
      while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {
      }
      return true;
    });
    while (end.step() == 0 && write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1) {
      if (rounds != nullptr) {
        *rounds = *rounds + 1;
      }
    }
    close(there[1]);
    return Wait(partner) == 0;
  });
}

volatile long* SharedCounter() {
  return static_cast<volatile long*>(
      mmap(nullptr, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

namespace {

/// Starts `count` processes that run `body`, which returns when it has started what it wants and
/// then sleep; kills them all when `end` opens.
pid_t StartSleeping(int count, const Gate& end, const std::function<void()>& body) {
  Gate ready;
  const pid_t parent = Fork([&] {
    setpgid(0, 0);
    for (int i = 0; i < count; ++i) {
      if (ForkOrAbort() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        pause();
        _exit(0);
      }
    }
    ready.Open();
    end.WaitFor();
    signal(SIGTERM, SIG_IGN);
    kill(0, SIGTERM);
    while (wait(nullptr) > 0) {
    }
    return true;
  });
  while (ready.step() == 0) {
    if (waitpid(parent, nullptr, WNOHANG) == parent) {
      std::fprintf(stderr, "%d sleeping children can't be started\n", count);
      std::abort();
    }
    usleep(1000);
  }
  return parent;
}

}  // namespace

pid_t StartSleepers(int count, const Gate& end) {
  return StartSleeping(count, end, [] {});
}

pid_t StartSleepingThreads(int count, const Gate& end) {
  constexpr int kThreads = 1000;
  constexpr std::size_t kStackBytes = 32 * 1024;
  return StartSleeping(count / kThreads, end, [] {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    for (int i = 1; i < kThreads; ++i) {
      pthread_t thread{};
      pthread_create(
          &thread, &attributes,
          [](void*) -> void* {
            pause();
            return nullptr;
          },
          nullptr);
    }
  });
}

}  // namespace sched_exporter::test_support
