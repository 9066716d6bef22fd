#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "exporter/base/result.h"
#include "tests/support/starter_plan.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// A child after its end.
struct StartedChild {
  pid_t pid = -1;
  How how = How::kFork;
  std::string comm;        ///< At its end.
  bool executed = false;   ///< An exec succeeded.
  std::string exec_error;  ///< Name of the errno with which exec failed, or empty.
  std::string code;        ///< "0" to "255" or a signal's name.
};

/// What the starter and its children did, by their own account: return values of fork and exec,
/// wait statuses, and reports of the programs that were started.
struct StarterCounts {
  std::uint64_t forks = 0;                     ///< By the starter.
  std::uint64_t thread_starts = 0;             ///< By its children before exec; they have its comm.
  std::map<std::string, std::uint64_t> execs;  ///< By the comm after it.
  std::map<std::string, std::uint64_t> exec_failures;  ///< By errno; all with the starter's comm.
  /// By comm and code, the starter's own exit among them.
  std::map<std::pair<std::string, std::string>, std::uint64_t> exits;

  std::uint64_t Execs() const;
  std::uint64_t ExecFailures() const;
  std::uint64_t Exits() const;
};

struct StarterReport {
  pid_t starter = -1;
  std::vector<StartedChild> children;
  StarterCounts counts;
};

/// Starts children as fast as the machine can, from a process with a name that nobody else has: of
/// seven kinds in turn, a tenth of each exits non-zero, a tenth dies by signals, a tenth fails to
/// exec. All are reaped.
class Starter {
 public:
  struct Options {
    int children = 1000;
    int parallel = 32;  ///< At a time.
    int names = 1;  ///< Different names of programs, beside those of the script and of execveat.
    std::vector<std::string> cgroups = {};    ///< Directories; the starter enters them first.
    std::vector<std::string> arguments = {};  ///< More of them for every child.
    std::map<std::string, std::string> environment = {};  ///< In addition to the test's own.
    std::vector<ChildRecord> plan = {};                   ///< Instead of the mix above.
  };

  explicit Starter(Options options);

  /// The starter's comm, and what the comms of its children begin with.
  const std::string& comm() const { return comm_; }

  /// Writes the programs that it will start. Run() does it itself, but not where another thread of
  /// the test forks: a program that is open for writing in somebody's child can't be started.
  Result<void> Prepare();

  /// Runs to the end of all children. Fails where a child did not do what it should.
  Result<StarterReport> Run();

 private:
  Options options_;
  std::string comm_;
  TempDirectory directory_;
  bool is_prepared_ = false;
};

/// The mix of children that a starter starts.
std::vector<ChildRecord> MixedPlan(int children, int names);

/// Path of test_child.
std::string ChildProgram();

}  // namespace sched_exporter::test_support
