#include "tests/bench/loads.h"

#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/argv.h"
#include "tests/support/starter.h"

namespace sched_exporter::test_support {
namespace {

constexpr std::size_t kMessageBytes = 100;

/// Forks one child for each body; kills and waits for them when `end` opens.
bool RunUntil(const Gate& end, const std::vector<std::function<bool()>>& bodies) {
  std::vector<pid_t> children;
  children.reserve(bodies.size());
  for (const auto& body : bodies) {
    children.push_back(Fork(body));
  }
  end.WaitFor();
  for (const pid_t child : children) {
    kill(child, SIGKILL);
    Wait(child);
  }
  return true;
}

bool PassOn(int from, int to) {
  char byte = 0;
  while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1) {
  }
  return true;
}

bool Send(const std::vector<int>& sockets) {
  const char message[kMessageBytes] = {};
  while (true) {
    for (const int socket : sockets) {
      if (send(socket, message, sizeof(message), 0) != sizeof(message)) {
        return false;
      }
    }
  }
}

bool Receive(int socket, volatile long* rounds) {
  char message[kMessageBytes];
  while (recv(socket, message, sizeof(message), MSG_WAITALL) == sizeof(message)) {
    __atomic_fetch_add(rounds, 1, __ATOMIC_RELAXED);
  }
  return false;
}

bool StartChildren(volatile long* rounds) {
  std::vector<std::string> words = {ChildProgram(), "-1", "exit", "0"};
  const std::vector<char*> argv = Argv(words);
  pid_t pid = 0;
  while (posix_spawn(&pid, argv[0], nullptr, nullptr, argv.data(), environ) == 0 &&
         Wait(pid) == 0) {
    __atomic_fetch_add(rounds, 1, __ATOMIC_RELAXED);
  }
  return false;
}

}  // namespace

pid_t TokenRing(int members, int tokens, const Gate& end) {
  return Fork([=, &end] {
    const auto size = static_cast<std::size_t>(members);
    // Beside those that it inherits: of programs and maps, and of the tools beside ours.
    constexpr rlim_t kInherited = 1024;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_max = std::max(limit.rlim_max, static_cast<rlim_t>(2 * size) + kInherited);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      return false;
    }
    std::vector<std::pair<int, int>> ends(size);  // a pipe's read end, and the next one's other end
    for (std::size_t i = 0; i < size; ++i) {
      int fds[2];
      if (pipe(fds) != 0) {
        return false;
      }
      ends[i].first = fds[0];
      ends[(i + size - 1) % size].second = fds[1];
    }
    for (int i = 0; i < tokens; ++i) {
      if (write(
              ends[static_cast<std::size_t>(i) * (size / static_cast<std::size_t>(tokens))].second,
              "x", 1) != 1) {
        return false;
      }
    }
    std::vector<std::function<bool()>> bodies;
    for (const auto& [from, to] : ends) {
      bodies.emplace_back([from = from, to = to] { return PassOn(from, to); });
    }
    return RunUntil(end, bodies);
  });
}

pid_t Messages(int pairs, const Gate& end, volatile long* rounds) {
  return Fork([=, &end] {
    std::vector<int> write_ends;
    std::vector<std::function<bool()>> bodies;
    for (int i = 0; i < pairs; ++i) {
      int fds[2];
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        return false;
      }
      write_ends.push_back(fds[1]);
      bodies.emplace_back([fd = fds[0], rounds] { return Receive(fd, rounds); });
    }
    for (int i = 0; i < pairs; ++i) {
      bodies.emplace_back([&write_ends] { return Send(write_ends); });
    }
    return RunUntil(end, bodies);
  });
}

pid_t ExecStorm(int parallel, const Gate& end, volatile long* rounds) {
  return Fork([=, &end] {
    const std::function<bool()> body = [rounds] { return StartChildren(rounds); };
    return RunUntil(end, std::vector(static_cast<std::size_t>(parallel), body));
  });
}

bool EndLoad(pid_t load, Gate& end) {
  const bool ran = waitpid(load, nullptr, WNOHANG) == 0;
  end.Open();
  Wait(load);
  if (!ran) {
    std::fprintf(stderr, "the load ended by itself\n");
  }
  return ran;
}

}  // namespace sched_exporter::test_support
