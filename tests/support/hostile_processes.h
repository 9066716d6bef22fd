#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace sched_exporter::test_support {

/// A process name made to break a scrape, and how it is written (exporter/base/text.h).
struct HostileName {
  std::string bytes;
  std::string comm;   ///< The label `comm`.
  std::string group;  ///< The label `group`.
};

const std::vector<HostileName>& HostileNameList();

struct HostileProcess {
  pid_t pid = -1;
  HostileName name;
};

/// One sleeping process for each of these names, from construction on.
class HostileProcesses {
 public:
  HostileProcesses();
  ~HostileProcesses();
  HostileProcesses(const HostileProcesses&) = delete;
  HostileProcesses& operator=(const HostileProcesses&) = delete;

  const std::vector<HostileProcess>& all() const { return all_; }

 private:
  std::vector<HostileProcess> all_;
};

}  // namespace sched_exporter::test_support
