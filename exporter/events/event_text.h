#pragma once

#include <string>
#include <vector>

#include "exporter/model/lifecycle_event.h"

namespace sched_exporter {

/// "exec", "exec_failed", "exit", "oom_kill" or "lost".
const char* EventName(LifecycleEvent::Type type);

/// The arguments of a program, its name first, each as PrintableText(). The last one may be cut.
std::vector<std::string> PrintableArguments(const ProgramImage& image);

}  // namespace sched_exporter
