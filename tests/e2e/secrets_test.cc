// Command lines and environments hold secrets: nothing of them gets out, nor is it even kept,
// unless the config asks for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <random>

#include "tests/support/argv.h"
#include "tests/support/exporter.h"
#include "tests/support/process_memory.h"
#include "tests/support/starter.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string RandomMarker() {
  std::random_device random;
  std::string marker;
  for (int i = 0; i < 4; ++i) {
    marker += std::to_string(random());
  }
  return marker;
}

/// A process that sleeps, with the secret on its command line and in its environment.
class SecretHolder {
 public:
  explicit SecretHolder(const std::string& secret)
      : pid_(Fork([&] {
          std::vector<std::string> words = {ChildProgram(), "-1", "signal", "0", secret};
          std::vector<std::string> environment = {"TOKEN=" + secret};
          return execve(words[0].c_str(), Argv(words).data(), Argv(environment).data()) == 0;
        })) {}
  ~SecretHolder() {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
  SecretHolder(const SecretHolder&) = delete;
  SecretHolder& operator=(const SecretHolder&) = delete;

 private:
  pid_t pid_;
};

class Secrets : public testing::Test {
 protected:
  void StartExporter(const std::string& config) {
    auto started = Exporter::Start({config, {"--log.level=debug"}, {}});
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// Children of every kind that have the secret, too; waits until the exporter knows of them all.
  void RunLoad() {
    Starter starter({.children = 700,
                     .arguments = {"--password=" + secret_},
                     .environment = {{"PASSWORD", secret_}}});
    comm_ = starter.comm();
    const auto report = starter.Run();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(WaitUntil([&] {
      const auto text = exporter_->ScrapeText();
      const auto metrics = text ? MetricsText::Parse(*text) : Fail("");
      scrapes_ += text ? *text : "";
      return metrics &&
             metrics->Sum("sched_group_exits_total", {{"group", comm_}, {"code", "0"}}) > 0;
    }));
  }

  const std::string secret_ = RandomMarker();
  const SecretHolder before_{secret_};
  std::unique_ptr<Exporter> exporter_;
  std::string comm_;
  std::string scrapes_;
};

TEST_F(Secrets, AreNowhereByDefault) {
  StartExporter("");
  const SecretHolder after(secret_);
  ASSERT_NO_FATAL_FAILURE(RunLoad());
  EXPECT_THAT(scrapes_, Not(HasSubstr(secret_)));
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr(secret_)));
  const MemorySearch search = SearchMemory(exporter_->pid(), secret_);
  EXPECT_EQ(search.found, 0U);
  EXPECT_GT(search.bytes, 1'000'000U);
  // The search finds what is there.
  EXPECT_GT(SearchMemory(exporter_->pid(), comm_).found, 0U);
  EXPECT_GT(SearchMemory(getpid(), secret_).found, 0U);
}

TEST_F(Secrets, AreNotInTheStreamByDefault) {
  StartExporter("events: {output: stdout}\n");
  const SecretHolder after(secret_);
  ASSERT_NO_FATAL_FAILURE(RunLoad());
  // Standard output is in the log, too.
  EXPECT_TRUE(WaitUntil([&] {
    return exporter_->Log().find("\"group\":\"" + comm_ + "\"") != std::string::npos;
  })) << "no stream";
  EXPECT_EQ(SearchMemory(exporter_->pid(), secret_).found, 0U);
  const Ended ended = exporter_->End(SIGTERM);
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.output, HasSubstr("\"event\":\"exec_failed\""));
  EXPECT_THAT(ended.output, Not(HasSubstr(secret_)));
  EXPECT_THAT(scrapes_, Not(HasSubstr(secret_)));
}

TEST_F(Secrets, OfCommandLinesAreInTheStreamThatAsksForThem) {
  StartExporter("events: {output: stdout, arguments: true}\n");
  ASSERT_NO_FATAL_FAILURE(RunLoad());
  EXPECT_TRUE(WaitUntil([&] {
    return exporter_->Log().find("--password=" + secret_) != std::string::npos;
  })) << "or else the other tests would prove nothing";
  EXPECT_GT(SearchMemory(exporter_->pid(), "--password=" + secret_).found, 0U);
  const Ended ended = exporter_->End(SIGTERM);
  EXPECT_THAT(ended.output, Not(HasSubstr("PASSWORD=" + secret_))) << "environments never are";
  EXPECT_THAT(ended.output, Not(HasSubstr("TOKEN=" + secret_)));
  EXPECT_THAT(scrapes_, Not(HasSubstr(secret_)));
}

}  // namespace
}  // namespace sched_exporter::test_support
