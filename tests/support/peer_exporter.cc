#include "tests/support/peer_exporter.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/argv.h"
#include "tests/support/free_port.h"
#include "tests/support/http_client.h"
#include "tests/support/metrics_text.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {

Result<std::unique_ptr<PeerExporter>> PeerExporter::Start(const std::string& config,
                                                          const std::vector<std::string>& flags) {
  std::unique_ptr<PeerExporter> peer(new PeerExporter());
  const std::string file = peer->directory_.Write("config.yml", config);
  const std::string log = peer->directory_.path() + "/log";
  peer->port_ = FreePort();
  std::vector<std::string> words = {"prometheus-process-exporter", "-config.path", file,
                                    "-web.listen-address=127.0.0.1:" + std::to_string(peer->port_)};
  words.insert(words.end(), flags.begin(), flags.end());
  peer->pid_ = Fork([&] {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(words[0].c_str(), Argv(words).data());
    return false;
  });
  const bool serves = WaitUntil([&] {
    const auto reply = HttpGet(peer->port_, "/");
    return reply && reply->status == 200;
  });
  if (!serves) {
    return Fail("prometheus-process-exporter doesn't serve");
  }
  return peer;
}

PeerExporter::~PeerExporter() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
}

Result<std::map<std::string, int>> PeerExporter::Processes() const {
  const auto reply = HttpGet(port_, "/metrics");
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  const auto text = MetricsText::Parse(reply->body);
  if (!text) {
    return tl::unexpected(text.error());
  }
  std::map<std::string, int> processes;
  for (const Line& line : text->lines()) {
    if (line.name == "namedprocess_namegroup_num_procs" && line.value > 0) {
      processes[line.labels.at("groupname")] = static_cast<int>(line.value);
    }
  }
  return processes;
}

}  // namespace sched_exporter::test_support
