#pragma once

#include "exporter/identity/process_book.h"
#include "exporter/kernel/programs.h"

namespace sched_exporter {

/// Tells the book what runs already, so that events of processes which were there before the
/// programs were attached have the file, too. Call it before events are read.
void NoteLivingPrograms(const Programs& programs, ProcessBook& book);

}  // namespace sched_exporter
