#include "exporter/app/explain_command.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "exporter/app/attach.h"
#include "exporter/app/explanation.h"
#include "exporter/app/log.h"
#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

Result<std::uint32_t> ReadPid(const std::string& text) {
  std::uint32_t pid = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, pid);
  if (error != std::errc() || rest != end || pid == 0) {
    return Fail("expected the PID of a process, a number, got \"" + PrintableText(text) + "\"");
  }
  return pid;
}

}  // namespace

int RunExplainCommand(const Config& config, const HostPaths& paths, const std::string& pid) {
  const auto number = ReadPid(pid);
  if (!number) {
    return Fatal(number.error());
  }
  const auto mount = FindCgroupMount(config, paths);
  if (!mount) {
    return Fatal(mount.error());
  }
  const auto text = Explanation(config, paths, *mount).Of(*number);
  if (!text) {
    return Fatal(text.error());
  }
  const bool is_written = std::fputs(text->c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return is_written ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
