#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace sched_exporter {

/// Reads command lines of living processes. The kernel takes a lock of the process for that, which
/// whoever owns the process can keep for as long as he likes (a page fault on a file system of his
/// own, and a thread that waits to map memory): so a thread of its own reads, and nobody waits for
/// it longer than kPatience. While one read hangs there are no answers. For one thread.
class ArgumentsReader {
 public:
  static constexpr std::chrono::milliseconds kPatience{50};

  explicit ArgumentsReader(std::string procfs) : procfs_(std::move(procfs)) {}
  ~ArgumentsReader();
  ArgumentsReader(const ArgumentsReader&) = delete;
  ArgumentsReader& operator=(const ArgumentsReader&) = delete;

  /// Starts the thread, once. Until then the caller's thread reads itself.
  void Start();

  /// As ArgumentsOfLiving(); also empty where the answer is not there in time.
  std::string Read(std::uint32_t pid);

 private:
  struct Desk;

  static void Run(const std::shared_ptr<Desk>& desk, const std::string& procfs);

  std::string procfs_;
  std::shared_ptr<Desk> desk_;  ///< Null before Start(). The thread has it, too: it may outlive us.
  std::thread thread_;
};

}  // namespace sched_exporter
