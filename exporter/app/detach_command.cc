#include "exporter/app/detach_command.h"

#include <cstdio>
#include <cstdlib>

#include "exporter/app/log.h"
#include "exporter/app/persistence.h"

namespace sched_exporter {

int RunDetachCommand(const PersistenceConfig& config) {
  const auto persistence = Persistence::Open(config);
  if (!persistence) {
    return Fatal(persistence.error());
  }
  const bool had_any = persistence->Remove();
  std::printf(had_any ? "removed what was pinned in %s and the totals in %s\n"
                      : "nothing is pinned in %s, and there are no totals in %s\n",
              config.pin_directory.c_str(), config.directory.c_str());
  return std::fflush(stdout) == 0 ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
