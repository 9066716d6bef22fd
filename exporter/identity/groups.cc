#include "exporter/identity/groups.h"

#include <algorithm>
#include <string_view>

#include "exporter/base/text.h"

namespace sched_exporter {

std::string GroupByComm(const TaskIdentity& identity) {
  const auto end = std::find(identity.comm.begin(), identity.comm.end(), '\0');
  std::string_view comm(identity.comm.data(),
                        static_cast<std::size_t>(end - identity.comm.begin()));
  if (identity.kernel_thread) {
    comm = comm.substr(0, comm.find('/'));
  }
  if (comm.empty()) {
    return "(empty)";
  }
  // "other" is the name of what has no series of its own.
  return comm == "other" ? "(other)" : PrintableText(comm);
}

}  // namespace sched_exporter
