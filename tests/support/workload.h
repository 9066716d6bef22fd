#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace sched_exporter::test_support {

/// What the kernel keeps of a task in /proc/PID/schedstat.
struct SchedStat {
  std::uint64_t run_ns = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t timeslices = 0;
};
SchedStat ReadSchedStat(pid_t pid);

/// The sum over all tasks of a process (a sanitizer adds one of its own).
SchedStat ReadProcessSchedStat(pid_t pid);

/// fork(), but never -1: where there is no room for another process the calling one aborts. A -1
/// that somebody kills later would be every process of the machine.
pid_t ForkOrAbort();

/// Runs `body` in a child process; exit code 0 if it returns true. The child is not waited for.
pid_t Fork(const std::function<bool()>& body);

/// Waits for a child's end; its exit code, or 128 + n for signal n.
int Wait(pid_t pid);

/// Uses CPU time of the calling thread, in user space.
void Burn(std::chrono::milliseconds cpu_time);

/// Uses CPU time of the calling thread in short system calls.
void BurnInSystemCalls(std::chrono::milliseconds cpu_time);

/// The CPU time of the calling thread in nanoseconds.
std::uint64_t ThreadCpuNs();

/// Ties the calling thread to one CPU; false where that CPU isn't allowed.
bool PinTo(int cpu);

/// Sets the calling thread's comm.
void SetComm(const std::string& comm);

/// Whether it sleeps and a signal would wake it.
bool IsAsleep(pid_t pid);

/// Runs `body` in a child that `move` has put into a cgroup, given its pid, while it slept: what a
/// task uses while it moves itself may be billed to either cgroup (docs/metrics.md). The child
/// fails where `move` does.
pid_t ForkMoved(const std::function<bool(pid_t)>& move, const std::function<bool()>& body);

/// So much of `full` as SCHED_EXPORTER_TEST_LOAD says in percent, all by default, but not less than
/// `least`: for loads whose size decides on nothing, where the machine is an emulated one.
int ShareOfLoad(int full, int least = 1);

/// True where SCHED_EXPORTER_TEST_LOAD is set.
bool IsEmulated();

/// Starts `program` `count` times as fast as the machine can, `parallel` at once.
bool SpawnMany(const std::string& program, int count, int parallel);

/// A flag in memory that parent and children share: they wait for each other without sleeping long.
class Gate {
 public:
  Gate();
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void Open(int step = 1);
  void WaitFor(int step = 1) const;
  int step() const;

 private:
  volatile int* step_;
};

/// Two processes on one CPU pass a byte back and forth until `end` opens. The parent's pid; it
/// counts its rounds in `rounds`, which may be nullptr.
pid_t PingPong(int cpu, const Gate& end, volatile long* rounds = nullptr);

/// Shared memory for a number that a child counts.
volatile long* SharedCounter();

/// Starts `count` processes that sleep until `end` opens, under one parent, which is returned.
pid_t StartSleepers(int count, const Gate& end);

/// The same with threads, a thousand in each process: lighter, for large counts.
pid_t StartSleepingThreads(int count, const Gate& end);

}  // namespace sched_exporter::test_support
