#include "tests/support/process_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string_view>

#include "exporter/base/unique_fd.h"

namespace sched_exporter::test_support {
namespace {

/// Sanitizers map their shadow, terabytes of what is no data.
constexpr std::uint64_t kLargestMapping = std::uint64_t{4} << 30U;
constexpr std::size_t kChunk = std::size_t{1} << 20U;

struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// The mapping in a line of /proc/PID/maps, empty where it can't be read.
Mapping ReadableMapping(const std::string& line) {
  Mapping mapping;
  char dash = 0;
  std::string rights;
  std::istringstream(line) >> std::hex >> mapping.begin >> dash >> mapping.end >> rights;
  const bool wanted = rights.starts_with('r') && mapping.end - mapping.begin <= kLargestMapping;
  return wanted ? mapping : Mapping{};
}

std::uint64_t CountIn(std::string_view text, std::string_view needle) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(needle); at != std::string_view::npos;
       at = text.find(needle, at + 1)) {
    ++count;
  }
  return count;
}

void Search(int memory, const Mapping& mapping, const std::string& needle, MemorySearch& search) {
  std::string chunk;
  for (std::uint64_t at = mapping.begin; at < mapping.end;) {
    // The end of the chunk before, so that nothing is cut in two.
    const std::size_t kept = std::min(chunk.size(), needle.size() - 1);
    chunk.erase(0, chunk.size() - kept);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, mapping.end - at));
    chunk.resize(kept + wanted);
    const ssize_t got = pread(memory, chunk.data() + kept, wanted, static_cast<off_t>(at));
    if (got <= 0) {
      return;  // What no user may read, like [vvar].
    }
    chunk.resize(kept + static_cast<std::size_t>(got));
    search.bytes += static_cast<std::uint64_t>(got);
    search.found += CountIn(chunk, needle);
    at += static_cast<std::uint64_t>(got);
  }
}

}  // namespace

MemorySearch SearchMemory(pid_t pid, const std::string& needle) {
  const std::string directory = "/proc/" + std::to_string(pid);
  const UniqueFd memory(open((directory + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::ifstream maps(directory + "/maps");
  MemorySearch search;
  std::string line;
  while (std::getline(maps, line)) {
    Search(memory.get(), ReadableMapping(line), needle, search);
  }
  return search;
}

}  // namespace sched_exporter::test_support
