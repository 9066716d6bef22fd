#include "tests/bench/synthetic_work.h"

#include <cstdio>

namespace sched_exporter::test_support {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kStart_ns = 1'000 * kSecond;
constexpr std::uint64_t kBirth_ns = 100 * kSecond;
constexpr std::uint32_t kThreads = 2;
constexpr std::uint32_t kTasks = 1'000 * kThreads;
constexpr std::uint32_t kNames = 100;
constexpr std::uint32_t kCgroups = 100;
constexpr std::uint32_t kShortLived = 20;  // a sweep
constexpr std::uint32_t kSweepsBefore = 3;
constexpr TaskKey kFirstKey = 0xffff888000001000;
constexpr TaskKey kKeyStep = 0x2640;  // about the size of a task_struct

}  // namespace

class SyntheticHost::PlainNaming : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& /*image*/) override {
    return MakeGroup(identity.comm.data());
  }
  std::string CgroupPath(std::uint64_t id) override {
    return "/system.slice/service-" + std::to_string(id) + ".service";
  }
  std::map<std::string, std::string> CgroupLabels(const std::string& path) override {
    return {{"unit", path.substr(path.rfind('/') + 1)}};
  }
  bool CgroupLives(const std::string& /*path*/) override { return true; }
};

SyntheticHost::SyntheticHost()
    : naming_(std::make_unique<PlainNaming>()),
      ledger_(std::make_unique<Ledger>(LedgerLimits{}, *naming_)) {
  for (std::uint32_t i = 0; i < kSweepsBefore; ++i) {
    ledger_->Apply(NextSnapshot());
    ledger_->NoteTold();
  }
}

SyntheticHost::~SyntheticHost() = default;

/// Of a task by its number; numbers from kTasks on are short-lived ones.
TaskReading SyntheticHost::Reading(std::uint32_t task) const {
  const std::uint32_t leader = task / kThreads * kThreads;
  TaskReading reading;
  reading.key = kFirstKey + task * kKeyStep;
  reading.identity.pid = 1000 + task;
  reading.identity.tgid = 1000 + leader;
  reading.identity.ppid = 1;
  const std::uint64_t birth_ns = task < kTasks ? kBirth_ns : kStart_ns + sweep_ * kSecond;
  reading.identity.start_ns = birth_ns + task;
  reading.identity.leader_start_ns = birth_ns + leader;
  reading.identity.cgroup_id = 1 + task / kThreads % kCgroups;
  std::snprintf(reading.identity.comm.data(), reading.identity.comm.size(), "program-%u",
                task / kThreads % kNames);
  const std::uint64_t slices = 10 + sweep_;
  reading.figures = {slices * 1'234'567, slices * 34'567,  slices,          slices - 3, 3,
                     slices / 4,         slices * 800'000, slices * 400'000};
  return reading;
}

TaskEvent SyntheticHost::Event(TaskEvent::Kind kind, std::uint32_t task) const {
  TaskEvent event;
  event.kind = kind;
  event.time_ns = kStart_ns + sweep_ * kSecond;
  event.reading = Reading(task);
  event.origin.cgroup_id = event.reading.identity.cgroup_id;
  event.origin.tgid = 1000;
  event.origin.leader_start_ns = kBirth_ns;
  event.origin.comm = Reading(0).identity.comm;
  return event;
}

Snapshot SyntheticHost::NextSnapshot() {
  Snapshot snapshot;
  snapshot.sweep = ++sweep_;
  snapshot.boottime_ns = kStart_ns + sweep_ * kSecond;
  for (std::uint32_t task = 0; task < kTasks; ++task) {
    if (sweep_ == 1) {
      snapshot.living.push_back(Reading(task));
    } else {
      snapshot.living_keys.push_back(Reading(task).key);
    }
    if (task % 4 == sweep_ % 4) {
      snapshot.switched.push_back(Reading(task));
    }
  }
  for (std::uint32_t i = 0; sweep_ > 1 && i < kShortLived; ++i) {
    const std::uint32_t task = kTasks + sweep_ * kShortLived * kThreads + i * kThreads;
    for (const auto kind : {TaskEvent::Kind::kForked, TaskEvent::Kind::kExecuted,
                            TaskEvent::Kind::kExited, TaskEvent::Kind::kFinished}) {
      snapshot.events.push_back(Event(kind, task));
    }
  }
  for (std::uint64_t id = 1; id <= kCgroups; ++id) {
    CgroupDistributions of_cgroup;
    of_cgroup.cgroup_id = id;
    for (Durations* durations :
         {&of_cgroup.distributions.runqueue_latency, &of_cgroup.distributions.timeslice}) {
      durations->buckets[id % durations->buckets.size()] = 5;
      durations->sum_ns = 5'000 * id;
    }
    snapshot.distributions.push_back(of_cgroup);
  }
  snapshot.cpus = {{0, kFirstKey, 1'000'000, sweep_ * kSecond / 2, 0},
                   {1, kFirstKey + kKeyStep, 1'000'000, sweep_ * kSecond / 3, 0}};
  return snapshot;
}

std::shared_ptr<const Sample> SyntheticHost::MakeSample() const {
  auto sample = std::make_shared<Sample>();
  sample->report = ledger_->MakeReport();
  sample->stats.version = "1";
  sample->boot_unix_ns = 1'700'000'000 * kSecond;
  return sample;
}

}  // namespace sched_exporter::test_support
