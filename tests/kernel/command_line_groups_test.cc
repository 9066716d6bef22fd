// Groups that only the command line tells apart: what exec told must be there when the time is
// credited, for processes that no sweep ever met alive, too.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>

#include "exporter/identity/process_book.h"
#include "exporter/kernel/source.h"
#include "exporter/ledger/ledger.h"
#include "tests/support/cgroup.h"
#include "tests/support/starter.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

const int kChildrenOfAKind = ShareOfLoad(40, 5);
/// Room for all, whatever else the machine does.
constexpr std::uint32_t kEventsBytes = 64U * 1024 * 1024;
constexpr std::array<const char*, 2> kKinds = {"kind-a", "kind-b"};
constexpr std::array<const char*, 2> kBurnMs = {"20", "40"};

/// The last argument is the group.
class LastArgument : public Naming {
 public:
  GroupPtr GroupOf(const TaskIdentity& identity, const ProgramImagePtr& image) override {
    if (image == nullptr || image->arguments.empty()) {
      return MakeGroup(identity.comm.data());
    }
    const std::string arguments = image->arguments.substr(0, image->arguments.size() - 1);
    return MakeGroup(arguments.substr(arguments.rfind('\0') + 1));
  }
  std::string CgroupPath(std::uint64_t id) override { return std::to_string(id); }
};

/// CPU time of the children of a kind: as wait4() tells it, and of that what they had used before
/// they were it.
struct ChildTimes {
  double seconds[kKinds.size()] = {};
  double before[kKinds.size()] = {};
};

double Seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Adds a child of this kind.
bool SpawnAndWait(std::size_t kind, ChildTimes& times) {
  const std::string program = ChildProgram();
  const char* arguments[] = {program.c_str(), "-1",         "tell-and-burn",
                             kBurnMs[kind],   kKinds[kind], nullptr};
  char* environment[] = {nullptr};
  std::array<int, 2> told{};
  posix_spawn_file_actions_t actions;
  pid_t pid = -1;
  rusage usage{};
  int status = -1;
  timespec before{};
  if (pipe2(told.data(), O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&actions) != 0) {
    return false;
  }
  const bool good = posix_spawn_file_actions_adddup2(&actions, told[1], STDOUT_FILENO) == 0 &&
                    posix_spawn(&pid, program.c_str(), &actions, nullptr,
                                const_cast<char**>(arguments), environment) == 0 &&
                    wait4(pid, &status, 0, &usage) == pid && status == 0 &&
                    read(told[0], &before, sizeof(before)) == static_cast<ssize_t>(sizeof(before));
  posix_spawn_file_actions_destroy(&actions);
  close(told[0]);
  close(told[1]);
  times.seconds[kind] += Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  times.before[kind] += Seconds(before);
  return good;
}

struct Case {
  Transport transport;
  bool sweep_meanwhile;
};

class CommandLineGroups : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ProgramOptions options;
    options.transport = GetParam().transport;
    options.arguments_bytes = 256;
    options.events_bytes = kEventsBytes;
    auto programs = Programs::Load(options);
    ASSERT_TRUE(programs) << programs.error().message;
    programs_ = std::move(*programs);
    auto source =
        Source::Open(*programs_, Walk::kAuto, [this](TaskEvent& event) { book_.Annotate(event); });
    ASSERT_TRUE(source) << source.error().message;
    source_ = std::move(*source);
    Sweep();
  }

  void Sweep() {
    Snapshot snapshot;
    ASSERT_TRUE(source_->Sweep(snapshot));
    ledger_.Apply(snapshot);
  }

  double GroupSeconds(const std::string& group) const {
    for (const NamedRow& row : ledger_.MakeReport().groups) {
      if (row.name == group) {
        return static_cast<double>(row.totals.user_ns + row.totals.system_ns) / 1e9;
      }
    }
    return 0;
  }

  std::uint64_t Execs(const std::string& group) const {
    for (const NamedRow& row : ledger_.MakeReport().groups) {
      if (row.name == group) {
        return row.lifecycle.execs;
      }
    }
    return 0;
  }

  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Source> source_;
  ProcessBook book_;
  LastArgument naming_;
  Ledger ledger_{LedgerLimits{}, naming_};
};

TEST_P(CommandLineGroups, GetTheirTimeToTheLast) {
  std::array<int, 2> result{};
  ASSERT_EQ(pipe(result.data()), 0);
  const pid_t starter = Fork([&] {
    ChildTimes times;
    for (int i = 0; i < kChildrenOfAKind; ++i) {
      for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        if (!SpawnAndWait(kind, times)) {
          return false;
        }
      }
    }
    return write(result[1], &times, sizeof(times)) == sizeof(times);
  });
  int status = -1;
  while (waitpid(starter, &status, WNOHANG) == 0) {
    if (GetParam().sweep_meanwhile) {
      Sweep();
    }
    usleep(7'000);
  }
  ASSERT_EQ(status, 0);
  Sweep();
  ChildTimes times;
  ASSERT_EQ(read(result[0], &times, sizeof(times)), static_cast<ssize_t>(sizeof(times)));
  for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
    EXPECT_EQ(Execs(kKinds[kind]), kChildrenOfAKind);
    // Before exec a child has its parent's command line: that much goes there. And wait4() doesn't
    // know the very end of the exit.
    const double counted = GroupSeconds(kKinds[kind]);
    EXPECT_LE(counted, times.seconds[kind] * 1.005) << kKinds[kind];
    EXPECT_GE(counted, (times.seconds[kind] - times.before[kind]) * 0.999) << kKinds[kind];
  }
  close(result[0]);
  close(result[1]);
}

INSTANTIATE_TEST_SUITE_P(Transports, CommandLineGroups,
                         testing::Values(Case{Transport::kRingbuf, false},
                                         Case{Transport::kRingbuf, true},
                                         Case{Transport::kPerfbuf, false},
                                         Case{Transport::kPerfbuf, true}),
                         [](const testing::TestParamInfo<Case>& test) {
                           const bool ring = test.param.transport == Transport::kRingbuf;
                           return std::string(ring ? "Ringbuf" : "Perfbuf") +
                                  (test.param.sweep_meanwhile ? "MetAlive" : "NeverMet");
                         });

}  // namespace
}  // namespace sched_exporter::test_support
