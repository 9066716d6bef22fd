#pragma once

#include <string>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// The group of a process by its comm, printable. Kernel threads go by the part before the first
/// `/` ("kworker/0:1" is in "kworker").
std::string GroupByComm(const TaskIdentity& identity);

}  // namespace sched_exporter
