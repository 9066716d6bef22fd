#pragma once

#include "exporter/identity/host_paths.h"
#include "exporter/identity/process_book.h"
#include "exporter/kernel/programs.h"
#include "exporter/model/naming.h"

namespace sched_exporter {

/// Tells the book what runs already, so that events of processes which were there before the
/// programs were attached have the file, too, and lets `naming` find their groups. Call it before
/// events are read.
void NoteLivingPrograms(const Programs& programs, const HostPaths& paths, ProcessBook& book,
                        Naming& naming);

}  // namespace sched_exporter
