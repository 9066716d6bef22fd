#include "tests/support/hostile_processes.h"

#include <unistd.h>

#include <csignal>

#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

HostileName Same(const std::string& bytes, const std::string& text) { return {bytes, text, text}; }

std::string Repeat(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

}  // namespace

const std::vector<HostileName>& HostileNameList() {
  static const std::vector<HostileName> names = {
      Same("new\nline", R"(new\x0aline)"),
      Same(R"(new\x0aline)", R"(new\\x0aline)"),
      Same("quo\"te", "quo\"te"),
      Same("back\\slash", R"(back\\slash)"),
      Same("ends in \\", R"(ends in \\)"),
      Same("\xff", R"(\xff)"),
      Same("cut \xe2\x82", R"(cut \xe2\x82)"),
      // The kernel cuts after 15 bytes, in the middle of the last letter.
      Same("fourteen bytes\xc3\xa4", R"(fourteen bytes\xc3)"),
      Same("\xed\xa0\x80 surrogate", R"(\xed\xa0\x80 surrogate)"),
      Same("\xc0\x80 overlong", R"(\xc0\x80 overlong)"),
      Same(std::string(15, '\x01'), Repeat(R"(\x01)", 15)),
      Same("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"),
      Same("{}", "{}"),
      Same("# TYPE x counter", "# TYPE x counte"),
      {"other", "other", "(other)"},
      {"", "", "(empty)"},
  };
  return names;
}

HostileProcesses::HostileProcesses() {
  Gate named;
  int count = 0;
  for (const HostileName& name : HostileNameList()) {
    const pid_t pid = Fork([&] {
      SetComm(name.bytes);
      named.Open(count + 1);
      return pause() == 0;
    });
    named.WaitFor(++count);
    all_.push_back({pid, name});
  }
}

HostileProcesses::~HostileProcesses() {
  for (const HostileProcess& process : all_) {
    kill(process.pid, SIGKILL);
    Wait(process.pid);
  }
}

}  // namespace sched_exporter::test_support
