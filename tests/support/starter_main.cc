// Starts children by a plan as fast as the machine can and writes down what became of each. A
// program of its own, small and static: forks of a large process are slow, and a sanitizer's
// runtime would add threads.
//   test_starter DIRECTORY [CGROUP_DIRECTORY...]
// DIRECTORY has the file of records (see starter_plan.h) and the programs. It enters the cgroups.

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/support/argv.h"
#include "tests/support/starter_files.h"
#include "tests/support/starter_plan.h"

namespace sched_exporter::test_support {
namespace {

constexpr int kCommandNotFound = 127;

/// What a child needs to call exec.
struct Command {
  ChildRecord* record = nullptr;
  std::string path;
  std::vector<std::string> words;
  std::vector<char*> argv;  ///< Points into `words`.
  int program_fd = -1;      ///< For How::kExecveat.
};

/// Where it returns, exec failed.
[[noreturn]] void Exec(const Command& command) {
  if (command.record->how == How::kExecveat && command.record->fate != Fate::kFails) {
    syscall(SYS_execveat, command.program_fd, "", command.argv.data(), environ, AT_EMPTY_PATH);
  } else if (command.record->how == How::kExecveat) {
    syscall(SYS_execveat, AT_FDCWD, command.path.c_str(), command.argv.data(), environ, 0);
  } else {
    execve(command.path.c_str(), command.argv.data(), environ);
  }
  command.record->exec_error = errno;
  _exit(kCommandNotFound);
}

[[noreturn]] void EndWithoutExec(const ChildRecord& record) {
  if (record.fate == Fate::kIsKilled) {
    kill(getpid(), record.value);
    pause();
  }
  _exit(record.value);
}

[[noreturn]] void ExecInThread(const Command& command) {
  pthread_t thread{};
  const auto body = [](void* argument) -> void* { Exec(*static_cast<const Command*>(argument)); };
  command.record->threads = 1;
  if (pthread_create(&thread, nullptr, body, const_cast<Command*>(&command)) != 0) {
    command.record->threads = 0;
    _exit(kCommandNotFound);
  }
  while (true) {
    pause();
  }
}

[[noreturn]] void BeChild(const Command& command) {
  switch (command.record->how) {
    case How::kForkOnly:
      EndWithoutExec(*command.record);
    case How::kThread:
      ExecInThread(command);
    default:
      Exec(command);
  }
}

pid_t StartBySpawn(const Command& command) {
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, command.path.c_str(), nullptr, nullptr, command.argv.data(), environ);
  return error == 0 ? pid : -1;
}

pid_t StartByVfork(const Command& command) {
  // What vfork is good and bad for is known; tests want it because programs use it.
  const pid_t pid = vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork)
  if (pid == 0) {
    Exec(command);  // NOLINT(clang-analyzer-unix.Vfork)
  }
  return pid;
}

pid_t Start(const Command& command) {
  if (command.record->how == How::kSpawn) {
    return StartBySpawn(command);
  }
  if (command.record->how == How::kVfork) {
    return StartByVfork(command);
  }
  const pid_t pid = fork();
  if (pid == 0) {
    BeChild(command);
  }
  return pid;
}

class Run {
 public:
  Run(std::string directory, StarterHeader* header, ChildRecord* records)
      : directory_(std::move(directory)),
        header_(header),
        records_(records),
        program_fd_(open(ProgramFile(directory_, CommName()).c_str(), O_PATH | O_CLOEXEC)) {
    const char* word = header->arguments.data();
    for (; *word != '\0'; word += arguments_.back().size() + 1) {
      arguments_.emplace_back(word);
    }
  }

  bool All() {
    for (int i = 0; i < header_->children; ++i) {
      if (!StartOne(i)) {
        return false;
      }
      while (running_.size() >= static_cast<std::size_t>(header_->parallel)) {
        ReapOne();
      }
    }
    while (!running_.empty()) {
      ReapOne();
    }
    return wait(nullptr) == -1 && errno == ECHILD;
  }

 private:
  bool StartOne(int index) {
    ChildRecord& record = records_[index];
    Command command;
    command.record = &record;
    command.path = FileOfChild(directory_, CommName(), record);
    command.program_fd = program_fd_;
    command.words = {command.path, std::to_string(index),
                     record.fate == Fate::kIsKilled ? "signal" : "exit",
                     std::to_string(record.value)};
    command.words.insert(command.words.end(), arguments_.begin(), arguments_.end());
    command.argv = Argv(command.words);
    const pid_t pid = Start(command);
    if (pid < 0) {
      std::perror("cannot start a child");
      return false;
    }
    record.pid = pid;
    running_[pid] = index;
    return true;
  }

  void ReapOne() {
    int status = 0;
    const pid_t pid = wait(&status);
    const auto found = running_.find(pid);
    if (found != running_.end()) {
      records_[found->second].status = status;
      running_.erase(found);
    }
  }

  std::string CommName() const { return header_->comm.data(); }

  std::string directory_;
  StarterHeader* header_;
  ChildRecord* records_;
  int program_fd_;
  std::vector<std::string> arguments_;
  std::unordered_map<pid_t, int> running_;
};

bool EnterCgroup(const std::string& directory) {
  const int fd = open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  const bool entered = write(fd, "0", 1) == 1;
  close(fd);
  return entered;
}

/// Maps the file of records and leaves it open as kReportFd.
StarterHeader* MapRecords(const std::string& directory) {
  const int fd = open(RecordsFile(directory).c_str(), O_RDWR | O_CLOEXEC);
  struct stat about {};
  if (fstat(fd, &about) != 0 || dup2(fd, kReportFd) != kReportFd) {
    return nullptr;
  }
  void* memory = mmap(nullptr, static_cast<std::size_t>(about.st_size), PROT_READ | PROT_WRITE,
                      MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<StarterHeader*>(memory);
}

/// Children that shall die by a signal do so, whatever the starter inherited.
void ResetSignals() {
  for (int number = 1; number < SIGRTMIN; ++number) {
    signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

int Main(int count, char** arguments) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  ResetSignals();
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  const std::string directory = count > 1 ? arguments[1] : "";
  for (int i = 2; i < count; ++i) {
    if (!EnterCgroup(arguments[i])) {
      std::perror(arguments[i]);
      return 1;
    }
  }
  StarterHeader* header = MapRecords(directory);
  if (header == nullptr) {
    std::perror("cannot map the records");
    return 1;
  }
  header->pid = getpid();
  prctl(PR_SET_NAME, header->comm.data(), 0, 0, 0);
  Run run(directory, header, reinterpret_cast<ChildRecord*>(header + 1));
  return run.All() ? 0 : 1;
}

}  // namespace
}  // namespace sched_exporter::test_support

int main(int count, char** arguments) {
  return sched_exporter::test_support::Main(count, arguments);
}
