#include "tests/support/groups.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/workload.h"

namespace sched_exporter::test_support {

Running::Running(const std::string& command) {
  pid_ = Fork([&] {
    setpgid(0, 0);
    execl("/bin/bash", "bash", "-c", command.c_str(), static_cast<char*>(nullptr));
    return false;
  });
  setpgid(pid_, pid_);
}

void Running::Stop() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    Wait(pid_);
    pid_ = -1;
  }
}

std::unique_ptr<Exporter> StartWith(const std::string& config,
                                    const std::vector<std::string>& arguments) {
  Exporter::Settings settings;
  settings.config = config;
  settings.arguments = arguments;
  auto started = Exporter::Start(settings);
  EXPECT_TRUE(started) << started.error().message;
  return started ? std::move(*started) : nullptr;
}

std::map<std::string, int> ProcessesOf(const Exporter& exporter) {
  std::map<std::string, int> processes;
  const auto scrape = exporter.Scrape();
  EXPECT_TRUE(scrape) << scrape.error().message;
  for (const Line& line : scrape ? scrape->lines() : std::vector<Line>()) {
    if (line.name == "sched_group_processes" && line.value > 0 &&
        line.labels.at("group") != "other") {
      processes[line.labels.at("group")] = static_cast<int>(line.value);
    }
  }
  return processes;
}

}  // namespace sched_exporter::test_support
