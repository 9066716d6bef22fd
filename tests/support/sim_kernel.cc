// What happens in the simulated kernel. Names in comments are of the functions that it stands for.

#include "tests/support/sim_kernel.h"

#include <algorithm>

namespace sched_exporter::test_support {
namespace {

constexpr std::size_t kMostTasks = 40;
constexpr std::uint64_t kFamilies = 12;
constexpr std::uint64_t kCgroups = 6;
constexpr std::uint32_t kMaxPid = 150;  // few, so that they are soon used again

Comm ToComm(const std::string& text) {
  Comm comm{};
  std::copy_n(text.begin(), std::min(text.size(), comm.size()), comm.begin());
  return comm;
}

}  // namespace

SimKernel::SimKernel(const SimOptions& options) : options_(options), random_(options.seed) {
  Process& init = AddProcess(nullptr);
  init.parent = &init;
  for (int i = 0; i < 8; ++i) {
    Process& process = AddProcess(&init);
    for (std::uint64_t n = Random(3); n > 0; --n) {
      AddTask(process, NewPid());
    }
  }
  for (const auto& task : tasks_) {
    // The past: it must count nowhere.
    task->start_ns = task->process->leader->start_ns - (task->pid == task->process->tgid ? 100 : 0);
    task->figures.run_ns = Random(1'000'000'000'000);
    task->figures.user_ns = task->figures.run_ns / 2;
    task->figures.timeslices = Random(1000);
  }
  now_ns_ += 3'600'000'000'000;
  Run(200);
  FinishDying();
  ring_.clear();  // as if the hooks were attached just now
  drained_.clear();
}

SimKernel::~SimKernel() = default;

void SimKernel::Run(int steps) {
  for (int i = 0; i < steps; ++i) {
    Step();
  }
}

void SimKernel::Step() {
  Advance();
  for (Cpu& cpu : cpus_) {
    GoOn(cpu);
  }
  Act();
  Reap();
}

void SimKernel::Act() {
  const std::uint64_t dice = Random(quiet_ ? 50 : 100);
  if (dice < 50) return Schedule();
  if (dice < 57) return Fork();
  if (dice < 64) return Clone();
  if (dice < 74) return ExitOne();
  if (dice < 76) return ExitGroup();
  if (dice < 80) return BeginExec();
  if (dice < 84) return Rename();
  if (dice < 88) return MoveProcess();
  if (dice < 91) return MoveThread();
  if (dice < 96) return Evict();
  if (dice < 97) return Drain();
}

void SimKernel::Advance() {
  const std::uint64_t ns = Chance(0.1) ? 1 : Random(3'000'000);
  now_ns_ += ns + 1;
  for (const Cpu& cpu : cpus_) {
    if (cpu.current == nullptr) {
      continue;
    }
    Task& task = *cpu.current;
    task.figures.run_ns += ns;
    (Chance(0.5) ? task.figures.user_ns : task.figures.system_ns) += Chance(0.3) ? 4'000'000 : 0;
    books_.total_ns += ns;
    books_.by_cgroup_ns[task.cgroup] += ns;
    books_.by_family_ns[task.process->family] += ns;
  }
}

/// What the task on a CPU can't put off.
void SimKernel::GoOn(Cpu& cpu) {
  Task* task = cpu.current;
  if (task == nullptr || task->exiting) {
    return;
  }
  if (task->process->exec_thread == task) {
    FinishExec(*task);
  } else if (task->killed && Chance(0.5)) {
    BeginExit(*task);
  }
}

void SimKernel::Schedule() {
  Cpu& cpu = cpus_[Random(cpus_.size())];
  Task* next = Chance(0.15) ? nullptr : RandomTask();
  if (next == nullptr || IsRunnable(*next)) {
    Switch(cpu, next);
  }
}

bool SimKernel::IsRunnable(const Task& task) const {
  const bool waits_in_exec = task.process->exec_thread == &task && !OthersGone(*task.process, task);
  return !task.dead && !task.on_cpu && !waits_in_exec;
}

bool SimKernel::OthersGone(const Process& process, const Task& but) const {
  return std::all_of(process.threads.begin(), process.threads.end(),
                     [&](const Task* task) { return task == &but || task->exiting; });
}

SimKernel::Task* SimKernel::RandomTask() {
  return tasks_.empty() ? nullptr : tasks_[Random(tasks_.size())].get();
}

void SimKernel::Fork() {
  const Task* by = RandomTask();
  if (by->exiting || by->process->leader->exiting || tasks_.size() >= kMostTasks) {
    return;
  }
  Process& child = AddProcess(by->process);
  child.leader->cgroup = by->process->leader->cgroup;
}

void SimKernel::Clone() {
  const Task* by = RandomTask();
  Process& process = *by->process;
  if (by->exiting || by->killed || process.exec_thread != nullptr || tasks_.size() >= kMostTasks) {
    return;
  }
  AddTask(process, NewPid()).cgroup = by->cgroup;
}

void SimKernel::ExitOne() {
  const Cpu& cpu = cpus_[Random(cpus_.size())];
  if (cpu.current != nullptr && !cpu.current->exiting && cpu.current->pid != 1 &&
      cpu.current->process->exec_thread != cpu.current) {
    BeginExit(*cpu.current);
  }
}

void SimKernel::ExitGroup() {
  const Process& process = *RandomTask()->process;
  if (process.tgid != 1 && process.exec_thread == nullptr) {
    for (Task* task : process.threads) {
      task->killed = true;
    }
  }
}

/// exit_notify(): a thread that is no leader is off the task list at once; a leader stays a zombie.
void SimKernel::BeginExit(Task& task) {
  task.exiting = true;
  task.exit_sweep = sweep_;
  if (&task != task.process->leader) {
    listed_.erase(task.pid);
  }
}

void SimKernel::FinishDying() {
  std::vector<Task*> dying;
  for (const auto& task : tasks_) {
    if (task->exiting) {
      dying.push_back(task.get());
    }
  }
  for (Task* task : dying) {
    if (!task->dead && !task->on_cpu) {
      Switch(cpus_[0], task, true);
    }
    for (Cpu& cpu : cpus_) {
      if (cpu.current == task) {
        Switch(cpu, nullptr, true);
      }
    }
  }
}

/// begin_new_exec() of a thread that is no leader: it waits until it is alone.
void SimKernel::BeginExec() {
  Cpu& cpu = cpus_[Random(cpus_.size())];
  Task* task = cpu.current;
  if (!options_.execs || task == nullptr || task->exiting || task->killed) {
    return;
  }
  Process& process = *task->process;
  const auto entry = hash_.find(task->key);
  // Where the birth of an unknown thread is not told, the ledger can't know what it had used.
  const bool tellable = task->reported_cgroup != 0 || process.leader->start_ns >= seed_ns_;
  const bool moved = entry != hash_.end() && !IsCurrent(entry->second, *task);
  if (task == process.leader || process.exec_thread != nullptr || !tellable || moved) {
    return;
  }
  process.exec_thread = task;
  for (Task* other : process.threads) {
    other->killed = other != task;
  }
  Switch(cpu, nullptr);
}

/// de_thread(): the thread takes over its leader's pid and start time.
void SimKernel::FinishExec(Task& task) {
  Process& process = *task.process;
  Task& old_leader = *process.leader;
  listed_.erase(task.pid);
  listed_.erase(old_leader.pid);
  std::swap(task.pid, old_leader.pid);
  if (old_leader.dead) {
    free_keys_.push_back(old_leader.key);
  }
  task.start_ns = old_leader.start_ns;
  listed_[task.pid] = &task;
  process.leader = &task;
  process.exec_thread = nullptr;
  if (options_.renames) {
    NameAnew(process);
  }
}

void SimKernel::Rename() {
  if (options_.renames) {
    NameAnew(*RandomTask()->process);
  }
}

void SimKernel::NameAnew(Process& process) {
  process.comm = ToComm(process.family + "-" + std::to_string(options_.renames ? Random(3) : 0));
}

/// cgroup_attach_task() with threadgroup: all threads move, the hook hears of the leader.
void SimKernel::MoveProcess() {
  Process& process = *RandomTask()->process;
  const std::uint64_t to = kFirstCgroup + Random(kCgroups);
  Task& leader = *process.leader;
  if (leader.exiting || !(options_.moves || options_.silent_moves)) {
    return;
  }
  // Between the walk and the iterator, or before an exec, nobody can tell what a thread used before
  // a silent move.
  const bool told = TellsMove(leader, to) && (process.threads.size() == 1 || !in_sweep_) &&
                    process.exec_thread == nullptr &&
                    std::all_of(process.threads.begin(), process.threads.end(), [&](Task* task) {
                      return task == &leader || task->exiting || TellsSilentMove(*task);
                    });
  if (!told && !options_.silent_moves) {
    return;
  }
  for (Task* task : process.threads) {
    if (task->exiting) {
      continue;
    }
    task->cgroup = to;
    if (const auto entry = hash_.find(task->key); entry != hash_.end()) {
      entry->second.pinned = !options_.silent_moves;
    }
  }
  OnMove(leader);
}

void SimKernel::MoveThread() {
  Task& task = *RandomTask();
  const std::uint64_t to = kFirstCgroup + Random(kCgroups);
  if (!task.exiting && ((options_.moves && TellsMove(task, to)) || options_.silent_moves)) {
    task.cgroup = to;
    OnMove(task);
  }
}

/// Whether the hook can tell what the task has used where it was.
bool SimKernel::TellsMove(const Task& task, std::uint64_t to) const {
  const auto entry = hash_.find(task.key);
  if (entry != hash_.end() && entry->second.identity.start_ns == task.start_ns) {
    return IsCurrent(entry->second, task);
  }
  const std::uint64_t guess = ParentCgroup(task);
  const std::uint64_t known = task.reported_cgroup == 0 ? guess : task.reported_cgroup;
  return task.figures.run_ns == 0 || (guess != to && known == task.cgroup);
}

bool SimKernel::TellsSilentMove(const Task& task) const {
  const auto entry = hash_.find(task.key);
  return !task.on_cpu &&
         (task.figures.run_ns == 0 || (entry != hash_.end() && IsCurrent(entry->second, task)));
}

/// release_task() of leaders whose threads are all gone, by their parents, and the end of memory.
void SimKernel::Reap() {
  for (const auto& process : processes_) {
    Task& leader = *process->leader;
    if (leader.exiting && OthersGone(*process, leader) && (quiet_ || Chance(0.1))) {
      if (const auto listed = listed_.find(leader.pid);
          listed != listed_.end() && listed->second == &leader) {
        listed_.erase(listed);
      }
      for (const auto& child : processes_) {
        child->parent = child->parent == process.get() ? processes_[0].get() : child->parent;
      }
    }
  }
  std::erase_if(processes_, [&](const auto& process) {
    const auto listed = listed_.find(process->leader->pid);
    const bool gone =
        process->threads.empty() && (listed == listed_.end() || listed->second != process->leader);
    if (gone) {
      free_keys_.push_back(process->leader->key);
    }
    return gone;
  });
}

void SimKernel::Evict() {
  for (std::uint64_t n = options_.evictions ? Random(6) : 0; n > 0 && !hash_.empty(); --n) {
    const Task* task = RandomTask();
    const auto entry = hash_.find(task->key);
    if (entry != hash_.end() && !entry->second.pinned) {
      hash_.erase(entry);
    }
  }
}

void SimKernel::Quiesce() {
  quiet_ = true;
  const auto busy = [](const auto& task) {
    return task->killed || task->exiting || task->process->exec_thread != nullptr;
  };
  while (std::any_of(tasks_.begin(), tasks_.end(), busy)) {
    Run(50);
    FinishDying();
    Reap();
  }
  for (Cpu& cpu : cpus_) {
    Switch(cpu, nullptr);
  }
}

SimKernel::Process& SimKernel::AddProcess(Process* parent) {
  Process& process = *processes_.emplace_back(std::make_unique<Process>());
  process.parent = parent;
  process.tgid = processes_.size() == 1 ? 1 : NewPid();
  process.family = "f" + std::to_string(Random(kFamilies));
  NameAnew(process);
  process.leader = &AddTask(process, process.tgid);
  return process;
}

SimKernel::Task& SimKernel::AddTask(Process& process, std::uint32_t pid) {
  Task& task = *tasks_.emplace_back(std::make_unique<Task>());
  task.key = NewKey();
  task.pid = pid;
  task.start_ns = ++now_ns_;
  task.cgroup = kFirstCgroup + Random(kCgroups);
  task.process = &process;
  process.threads.push_back(&task);
  listed_[pid] = &task;
  return task;
}

std::uint32_t SimKernel::NewPid() {
  while (true) {
    const auto pid = static_cast<std::uint32_t>(2 + Random(kMaxPid));
    const bool is_tgid = std::any_of(processes_.begin(), processes_.end(),
                                     [&](const auto& process) { return process->tgid == pid; });
    if (!listed_.contains(pid) && !is_tgid) {
      return pid;
    }
  }
}

TaskKey SimKernel::NewKey() {
  if (free_keys_.empty() || Chance(0.2)) {
    return next_key_ += 0x1000;
  }
  std::swap(free_keys_[Random(free_keys_.size())], free_keys_.back());
  const TaskKey key = free_keys_.back();
  free_keys_.pop_back();
  return key;
}

}  // namespace sched_exporter::test_support
