// Any bytes are a template or an error in one line; a template gives any process a name that is
// printable, one line and bounded. Seeds: corpus/name_template.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "exporter/base/text.h"
#include "exporter/rules/name_template.h"

namespace {

using namespace sched_exporter;

/// Texts of processes are bytes of the input, too.
ProcessFacts HostileFacts(std::string_view bytes) {
  ProcessFacts facts;
  facts.comm = bytes.substr(0, 15);
  facts.arguments = {std::string(bytes), "", "\xff\n"};
  facts.user = "\xc3";
  facts.pid = static_cast<std::uint32_t>(bytes.size());
  facts.start_unix_ns = bytes.size() * std::uint64_t{0x123456789abcdef};
  facts.cgroup = bytes;
  facts.unit = std::string(300, '\\');
  facts.pod = "\x1b[31m";
  return facts;
}

void CheckOneLine(const std::string& text) {
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == '\0' || c == '\x1b') {
      std::abort();
    }
  }
  if (!IsUtf8(text)) {
    std::abort();
  }
}

void CheckName(const std::string& name) {
  CheckOneLine(name);
  if (name.empty() || name.size() > NameTemplate::kMostBytes) {
    std::abort();
  }
}

}  // namespace

// The part before the first NUL is the template, the rest is what the process says.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, all.find('\0'));
  const std::string_view rest = all.substr(text.size());
  const auto name = NameTemplate::Parse(text, {"a", "Cfgfile"});
  if (!name) {
    CheckOneLine(name.error().message);
    return 0;
  }
  if (name->text() != text) {
    std::abort();
  }
  (void)name->needs();
  CheckName(name->Render(HostileFacts(rest), {{"a", std::string(rest)}, {"Cfgfile", "x"}}));
  CheckName(name->Render({}, {}));
  return 0;
}
