#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/model/snapshot.h"

namespace sched_exporter::test_support {

/// What may happen in a simulated kernel.
struct SimOptions {
  std::uint64_t seed = 0;
  bool evictions = false;      ///< The LRU hash drops entries.
  bool torn = false;           ///< Walks leave entries out that are being written.
  bool execs = false;          ///< Threads that are no leaders call exec.
  bool renames = false;        ///< Processes change their comm within their family.
  bool moves = false;          ///< Cgroup moves that the hooks can tell exactly.
  bool silent_moves = false;   ///< Threads are moved while they run, or after an eviction.
  bool dying_windows = false;  ///< A task that is off every list waits long for its last switch.
  bool interrupted_sweeps = false;  ///< Things happen between the reads of one sweep.
  std::uint32_t event_capacity = 1'000'000;
  std::uint32_t sums_capacity = 1'000'000;
};

/// A small kernel with the hooks of bpf/sched.bpf.c in it, and books of its own: who really used
/// what. Its sweeps read in the order of exporter/kernel/source.cc.
class SimKernel {
 public:
  explicit SimKernel(const SimOptions& options);
  ~SimKernel();

  /// Lets so many random things happen.
  void Run(int steps);

  /// What a sweep finds. With `interrupted_sweeps` things go on meanwhile, except in the first.
  Snapshot Sweep();

  /// From here on nothing is born, and what is dying dies; every CPU becomes idle.
  void Quiesce();

  /// Run time since the first sweep.
  struct Books {
    std::uint64_t total_ns = 0;
    std::map<std::uint64_t, std::uint64_t> by_cgroup_ns;
    std::map<std::string, std::uint64_t> by_family_ns;
  };
  const Books& books() const { return books_; }
  std::uint64_t lost_finals() const { return lost_finals_; }
  std::uint64_t lost_moves() const { return lost_moves_; }

  /// The part of a comm that no rename changes.
  static std::string FamilyOf(const std::string& comm) { return comm.substr(0, comm.find('-')); }

 private:
  struct Process;
  struct Task {
    TaskKey key = 0;
    std::uint64_t start_ns = 0;
    std::uint32_t pid = 0;
    std::uint64_t cgroup = 0;
    Process* process = nullptr;
    Figures figures;
    bool on_cpu = false;
    bool killed = false;
    bool exiting = false;  ///< Past exit_notify(): no thread, but on its way to its last switch.
    bool dead = false;     ///< Had its last switch.
    std::uint64_t reported_cgroup = 0;  ///< As the last sweep told; 0: it was in none.
    std::uint32_t exit_sweep = 0;
  };
  struct Process {
    std::uint32_t tgid = 0;
    Process* parent = nullptr;
    Task* leader = nullptr;
    std::vector<Task*> threads;  ///< That have not had their last switch, the leader included.
    std::vector<std::unique_ptr<Task>> dead_threads;
    Task* exec_thread = nullptr;  ///< Waits in exec for all other threads to exit.
    std::string family;
    Comm comm{};
  };
  /// An entry of the LRU hash.
  struct Entry {
    TaskIdentity identity;
    Figures figures;
    std::uint32_t sweep = 0;
    bool pinned = false;  ///< Not evicted, because it alone knows of a move.
  };
  struct Cpu {
    Task* current = nullptr;
    TaskKey incoming = 0;
    std::uint64_t incoming_run_ns = 0;
    std::uint64_t busy_ns = 0;
  };
  using Sums = std::map<std::pair<std::uint64_t, Comm>, LostSum>;

  // What happens: sim_kernel.cc.
  void Step();
  void Act();
  void Advance();
  void GoOn(Cpu& cpu);
  void Schedule();
  void Fork();
  void Clone();
  void ExitOne();
  void ExitGroup();
  void BeginExit(Task& task);
  void FinishDying();
  void BeginExec();
  void FinishExec(Task& task);
  void Rename();
  void MoveProcess();
  void MoveThread();
  bool TellsMove(const Task& task, std::uint64_t to) const;
  bool TellsSilentMove(const Task& task) const;
  void Reap();
  void Evict();
  bool IsRunnable(const Task& task) const;
  bool OthersGone(const Process& process, const Task& but) const;
  Task* RandomTask();
  Process& AddProcess(Process* parent);
  Task& AddTask(Process& process, std::uint32_t pid);
  std::uint32_t NewPid();
  TaskKey NewKey();
  void NameAnew(Process& process);

  // The hooks, and what reads them: sim_hooks.cc.
  TaskIdentity IdentityOf(const Task& task) const;
  bool IsCurrent(const Entry& entry, const Task& task) const;
  bool SaysItAll(const Entry& entry, const Task& task) const;
  void Switch(Cpu& cpu, Task* next, bool last = false);
  void Retire(Task& task);
  void NoteReported(const Snapshot& snapshot);
  std::uint64_t ParentCgroup(const Task& task) const;
  void OnSwitch(Task& prev, bool dead);
  void OnMove(Task& task);
  bool SendEvent(const TaskEvent& event);
  void SendMove(Task& task, std::uint64_t from, bool guess, const Figures& figures);
  void KeepInSums(const TaskIdentity& identity, const Figures& figures);
  void Drain();
  void Interrupt();
  void WalkTasks(Snapshot& snapshot);
  void IterateTasks(Snapshot& snapshot);
  void ReadCpus(Snapshot& snapshot);
  void TakeSums(Snapshot& snapshot);

  static constexpr std::uint64_t kFirstCgroup = 100;

  std::uint64_t Random(std::uint64_t below) { return random_() % below; }
  bool Chance(double probability) {
    return static_cast<double>(Random(1'000'000)) < probability * 1e6;
  }

  SimOptions options_;
  std::mt19937_64 random_;
  std::uint64_t now_ns_ = 5'000'000'000'000;
  std::uint32_t sweep_ = 0;
  bool quiet_ = false;  ///< No birth, no moves.
  bool in_sweep_ = false;
  std::uint64_t seed_ns_ = 0;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<Task>> tasks_;
  std::map<std::uint32_t, Task*> listed_;  ///< The task list, by pid.
  std::vector<TaskKey> free_keys_;
  TaskKey next_key_ = 0xffff888000001000;
  std::array<Cpu, 3> cpus_;
  std::unordered_map<TaskKey, Entry> hash_;
  std::vector<TaskEvent> ring_;
  std::vector<TaskEvent> drained_;
  std::array<Sums, 2> sums_;
  std::size_t active_sums_ = 0;
  LostSum unattributed_;
  std::uint64_t lost_finals_ = 0;
  std::uint64_t lost_moves_ = 0;
  std::uint32_t families_ = 0;
  Books books_;
};

}  // namespace sched_exporter::test_support
