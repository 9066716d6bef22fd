#pragma once

#include <string>
#include <vector>

#include "exporter/model/exporter_stats.h"

struct bpf_object;

namespace sched_exporter {

/// Appends those of the program `fd`, if there is one.
void AddStatsOf(const std::string& name, int fd, std::vector<ProgramStats>& to);

/// Of each program of a loaded object.
std::vector<ProgramStats> ReadStatsOfPrograms(const bpf_object* object);

}  // namespace sched_exporter
