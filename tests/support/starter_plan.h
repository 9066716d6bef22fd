#pragma once

#include <array>
#include <cstdint>

namespace sched_exporter::test_support {

/// How a child of the starter comes to its program.
enum class How : std::int32_t {
  kFork,      ///< fork, exec.
  kVfork,     ///< vfork, exec.
  kSpawn,     ///< posix_spawn.
  kForkOnly,  ///< fork, and no exec.
  kThread,    ///< fork; a thread that isn't the leader calls exec.
  kExecveat,  ///< fork; execveat of a descriptor with AT_EMPTY_PATH.
  kScript,    ///< fork; exec of a file that begins with "#!".
};
inline constexpr int kHows = 7;

/// How it ends.
enum class Fate : std::int32_t {
  kExits,     ///< exit(value).
  kIsKilled,  ///< By signal `value`.
  kFails,     ///< exec fails with the errno `value`; then _exit(127), like a shell.
};

/// One child: what it shall do, written before the run, and what happened, written meanwhile. The
/// file of them is mapped by the test, by test_starter and written to by each test_child.
struct ChildRecord {
  How how = How::kFork;
  Fate fate = Fate::kExits;
  std::int32_t value = 0;
  std::int32_t file = 0;  ///< Index of its program's file; see FileOfChild().

  // By test_starter or, before exec, by the child.
  std::int32_t pid = 0;
  std::int32_t status = 0;  ///< As wait() told it.
  std::int32_t threads = 0;
  std::int32_t exec_error = 0;  ///< The errno with which exec returned.

  // By test_child, who can only write this when exec succeeded.
  struct Report {
    std::int32_t pid = 0;
    std::array<char, 16> comm{};  ///< The kernel's name for it.
  };
  Report report;
};

/// What the file begins with.
struct StarterHeader {
  std::int32_t children = 0;
  std::int32_t parallel = 0;
  std::int32_t pid = 0;  ///< Of the starter.
  std::array<char, 16> comm{};
  std::array<char, 4096> arguments{};  ///< Of each child beside its own, NUL after each.
};

/// The descriptor of that file in all children.
inline constexpr int kReportFd = 9;

}  // namespace sched_exporter::test_support
