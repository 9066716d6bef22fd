#include "exporter/identity/process_details.h"

#include "exporter/base/text.h"
#include "exporter/identity/living_image.h"

namespace sched_exporter {
std::string ProcessDetails::ReadExe(std::uint32_t pid) const {
  const ProgramImagePtr image = ImageOfLiving(pid, paths_.procfs);
  return image == nullptr ? std::string() : PrintableText(image->file);
}

const ProcessDetails::Details& ProcessDetails::Of(const ProcessRow& process) {
  Entry& entry = entries_[process.pid];
  entry.used = true;
  const std::uint64_t start_ns = process.population.oldest_start_ns;
  if (entry.start_ns != start_ns || entry.comm != process.comm || entry.uid != process.uid) {
    entry.start_ns = start_ns;
    entry.comm = process.comm;
    entry.uid = process.uid;
    entry.details.exe = process.kernel_thread ? std::string() : ReadExe(process.pid);
    entry.details.user = users_.Of(process.uid);
  }
  return entry.details;
}

void ProcessDetails::Prune() {
  std::erase_if(entries_, [](const auto& entry) { return !entry.second.used; });
  for (auto& [pid, entry] : entries_) {
    entry.used = false;
  }
}

}  // namespace sched_exporter
