// The program that children of tests run: small and static, so that starting it costs little, and
// without sanitizers, which would start threads of their own.
//   test_child [script FILE] INDEX exit CODE | signal NUMBER | burn MILLISECONDS [THREADS] |
//     tell-and-burn MILLISECONDS  [...]
// INDEX is its place in the file of ChildRecords behind kReportFd; -1 where there is none. The
// first form is that of the interpreter of a "#!" script.

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "tests/support/starter_plan.h"

namespace sched_exporter::test_support {
namespace {

constexpr int kUsageError = 99;

bool Report(int index) {
  ChildRecord::Report report;
  report.pid = getpid();
  prctl(PR_GET_NAME, report.comm.data(), 0, 0, 0);
  const std::size_t offset = sizeof(StarterHeader) +
                             static_cast<std::size_t>(index) * sizeof(ChildRecord) +
                             offsetof(ChildRecord, report);
  return pwrite(kReportFd, &report, sizeof(report), static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(sizeof(report));
}

void* Burn(void* milliseconds) {
  const auto end = static_cast<double>(*static_cast<const int*>(milliseconds)) / 1e3;
  timespec used{};
  while (static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9 < end) {
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  }
  return nullptr;
}

/// To stdout, the CPU time that it has used until now.
bool TellUsed() {
  timespec used{};
  return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0 &&
         write(STDOUT_FILENO, &used, sizeof(used)) == static_cast<ssize_t>(sizeof(used));
}

/// Burns in each of `threads` threads, the leader among them.
void BurnInThreads(int milliseconds, int threads) {
  constexpr int kMost = 16;
  pthread_t others[kMost];
  int started = 0;
  while (started + 1 < threads && started < kMost &&
         pthread_create(&others[started], nullptr, Burn, &milliseconds) == 0) {
    ++started;
  }
  Burn(&milliseconds);
  while (started > 0) {
    pthread_join(others[--started], nullptr);
  }
}

void Eat(int mebibytes) {
  constexpr std::size_t kMebibyte = 1U << 20U;
  constexpr std::size_t kPage = 4096;
  for (int i = 0; i < mebibytes; ++i) {
    auto* bytes = static_cast<volatile char*>(std::malloc(kMebibyte));
    for (std::size_t at = 0; at < kMebibyte; at += kPage) {
      bytes[at] = 1;
    }
  }
}

/// A thread that goes on after its leader's end. `code` is negative for an end of the thread alone.
void* Outlive(void* code) {
  const int value = *static_cast<const int*>(code);
  usleep(20'000);
  if (value < 0) {
    syscall(SYS_exit, kUsageError);
  }
  _exit(value);
}

/// Ends the leader alone, which glibc has no function for.
void EndLeaderFirst(int leaders_code, int last_code) {
  pthread_t last{};
  if (pthread_create(&last, nullptr, Outlive, &last_code) == 0) {
    syscall(SYS_exit, leaders_code);
  }
}

/// Whoever started this may ignore or block the signal, which exec hands down.
void DieBy(int signal_number) {
  signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  kill(getpid(), signal_number);
}

int Main(int count, char** arguments) {
  if (count > 3 && std::strcmp(arguments[1], "script") == 0) {
    arguments += 2;
    count -= 2;
  }
  if (count < 4) {
    return kUsageError;
  }
  const int index = std::atoi(arguments[1]);
  const int value = std::atoi(arguments[3]);
  if (index >= 0 && !Report(index)) {
    return kUsageError;
  }
  const auto is_command = [&](const char* name) { return std::strcmp(arguments[2], name) == 0; };
  if (is_command("signal")) {
    DieBy(value);
    pause();
  } else if (is_command("burn")) {
    BurnInThreads(value, count > 4 ? std::atoi(arguments[4]) : 1);
    return 0;
  } else if (is_command("tell-and-burn")) {
    if (!TellUsed()) {
      return kUsageError;
    }
    BurnInThreads(value, 1);
    return 0;
  } else if (is_command("eat")) {
    Eat(value);
  } else if (is_command("threads-exit")) {
    EndLeaderFirst(value, -1);
  } else if (is_command("group-exit")) {
    EndLeaderFirst(kUsageError, value);
  }
  return value;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int count, char** arguments) {
  return sched_exporter::test_support::Main(count, arguments);
}
