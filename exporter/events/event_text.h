#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// "exec", "exec_failed", "exit", "oom_kill" or "lost".
const char* EventName(LifecycleEvent::Type type);

/// A gap: so many events are missing here, which `buffer` had no room for.
LifecycleEvent GapOf(std::uint64_t events, const std::string& buffer);

/// The arguments of a program, its name first, each as PrintableText(). The last one may be cut.
std::vector<std::string> PrintableArguments(const ProgramImage& image);

}  // namespace sched_exporter
