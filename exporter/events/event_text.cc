#include "exporter/events/event_text.h"

#include <string_view>

#include "exporter/base/clock.h"
#include "exporter/base/text.h"

namespace sched_exporter {

const char* EventName(LifecycleEvent::Type type) {
  switch (type) {
    case LifecycleEvent::Type::kExec:
      return "exec";
    case LifecycleEvent::Type::kExecFailed:
      return "exec_failed";
    case LifecycleEvent::Type::kExit:
      return "exit";
    case LifecycleEvent::Type::kOomKill:
      return "oom_kill";
    case LifecycleEvent::Type::kLost:
      break;
  }
  return "lost";
}

std::vector<std::string> PrintableArguments(const ProgramImage& image) {
  std::vector<std::string> arguments;
  std::string_view rest = image.arguments;
  while (!rest.empty()) {
    const std::string_view argument = rest.substr(0, rest.find('\0'));
    arguments.push_back(PrintableText(argument));
    rest.remove_prefix(argument.size() < rest.size() ? argument.size() + 1 : argument.size());
  }
  return arguments;
}

LifecycleEvent GapOf(std::uint64_t events, const std::string& buffer) {
  LifecycleEvent gap;
  gap.type = LifecycleEvent::Type::kLost;
  gap.time_unix_ns = RealtimeNs();
  gap.buffer = buffer;
  gap.lost = events;
  return gap;
}

}  // namespace sched_exporter
