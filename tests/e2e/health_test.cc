// `sched_exporter health`: what a container's health check asks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <vector>

#include "tests/support/exporter.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(HealthCommand, TellsWhetherTheExporterLives) {
  auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const std::string port = std::to_string((*exporter)->port());
  const std::string address = "--web.listen-address=:" + port;
  const std::string url = "http://127.0.0.1:" + port + "/healthz";
  for (const auto& argv : {std::vector<std::string>{ExporterBinary(), address, "health"},
                           {ExporterBinary(), "health", url}}) {
    const Ended ended = RunProgram(argv);
    EXPECT_EQ(ended.exit_code, 0) << ended.output;
    EXPECT_EQ(ended.output, "healthy\n");
  }
  (*exporter)->End(SIGTERM);
  const Ended ended = RunProgram({ExporterBinary(), address, "health"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, AllOf(HasSubstr("cannot get " + url), HasSubstr("refused")));
}

TEST(HealthCommand, AnswersOtherThan200AreNotHealthy) {
  auto exporter = Exporter::Start();
  ASSERT_TRUE(exporter) << exporter.error().message;
  const Ended ended =
      RunProgram({ExporterBinary(), "health",
                  "http://127.0.0.1:" + std::to_string((*exporter)->port()) + "/no"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("404"));
}

TEST(HealthCommand, APortThatTheKernelChoseIsAskedFor) {
  const Ended ended = RunProgram({ExporterBinary(), "--web.listen-address=:0", "health"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output, HasSubstr("give its URL"));
}

}  // namespace
}  // namespace sched_exporter::test_support
