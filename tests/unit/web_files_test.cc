#include "exporter/app/web_files.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

constexpr int kRounds = 10;
constexpr int kWritesOfARound = 300;

std::string ValueNow(const WebFiles& files) {
  files.guard()->Refuse("", "192.0.2.1", WebGuard::Clock::now());  // looks at the files
  const auto headers = files.guard()->headers();
  return headers->empty() ? "" : headers->front().second;
}

// Files that change at each reading are never read at rest; the last state must be seen still.
TEST(WebFiles, TheLastOfManyChangesIsServed) {
  const test_support::TempDirectory directory;
  const std::string path = directory.path() + "/web.yml";
  const auto write = [&path](int value) {
    std::ofstream(path + ".new") << "http_server_config: {headers: {X-XSS-Protection: '" << value
                                 << "'}}\n";
    std::filesystem::rename(path + ".new", path);
  };
  write(0);
  const auto files = WebFiles::Open(path);
  ASSERT_TRUE(files) << files.error().message;
  for (int round = 1; round <= kRounds; ++round) {
    std::atomic<bool> is_done = false;
    std::jthread writer([&] {
      for (int i = 0; i < kWritesOfARound; ++i) {
        write(round * kWritesOfARound + i);
      }
      is_done = true;
    });
    while (!is_done) {
      ValueNow(**files);
    }
    ASSERT_EQ(ValueNow(**files), std::to_string((round + 1) * kWritesOfARound - 1)) << round;
  }
}

}  // namespace
}  // namespace sched_exporter
