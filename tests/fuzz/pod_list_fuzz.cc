// Any bytes are a list of pods, in bounded time and memory. Seeds: corpus/pod_list.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/identity/pod_names.h"

namespace {

void Check(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sched_exporter::PodNames names;
  const auto read = sched_exporter::ReadPodList({reinterpret_cast<const char*>(data), size}, names);
  if (!read) {
    Check(names == sched_exporter::PodNames());
    // Reasons go to the log: nothing of the input may reach it unescaped.
    for (const char c : read.error().message) {
      Check(c >= ' ' && c <= '~');
    }
  }
  for (const auto& [uid, name] : names.pods()) {
    Check(sched_exporter::IsPodUid(uid) && sched_exporter::IsPodName(name));
  }
  for (const auto& [id, name] : names.containers()) {
    Check(sched_exporter::IsContainerId(id) && sched_exporter::IsPodName(name.pod) &&
          sched_exporter::IsContainerName(name.container));
  }
  return 0;
}
