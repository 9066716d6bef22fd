#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter::test_support {

/// A tool that people measure switches with, as it is usually started.
struct PeerCommand {
  std::string name;                ///< In tables.
  std::string key;                 ///< In names of figures.
  std::vector<std::string> words;  ///< Its command line.
};

/// runqlat and cpudist of libbpf-tools, and what does the same with bpftrace: histograms of waits
/// on run queues and of times on CPUs.
const std::vector<PeerCommand>& PeerCommands();

/// One that runs, its output thrown away.
class PeerTool {
 public:
  /// Starts it and waits until its programs are attached. Fails where the tool is missing or
  /// doesn't get that far.
  static Result<std::unique_ptr<PeerTool>> Start(const PeerCommand& command);
  ~PeerTool();
  PeerTool(const PeerTool&) = delete;
  PeerTool& operator=(const PeerTool&) = delete;

  /// Descriptors of its BPF programs; owned by this object.
  const std::vector<int>& program_fds() const { return program_fds_; }

 private:
  explicit PeerTool(pid_t pid) : pid_(pid) {}

  pid_t pid_;
  std::vector<int> program_fds_;
};

/// How often BPF programs ran since they were loaded, and how long in all, by the kernel's own
/// count, which is on while kernel.bpf_stats_enabled or a descriptor of BPF_ENABLE_STATS is.
struct ProgramCost {
  double runs = 0;
  double ns = 0;
};

/// The sums over these programs.
ProgramCost ReadProgramCost(const std::vector<int>& program_fds);

}  // namespace sched_exporter::test_support
