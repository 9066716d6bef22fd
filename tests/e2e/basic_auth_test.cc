// Basic authentication as clients, and those who guess passwords, see it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"
#include "tests/support/tls_peers.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

constexpr char kPassword[] = "correct horse";
constexpr char kWrong[] = "wr0ng battery";

class BasicAuth : public ::testing::Test {
 protected:
  /// One user, alice.
  void Start(int cost, const std::vector<std::string>& more = {}) {
    Exporter::Settings settings;
    settings.arguments = {
        "--log.level=debug", "--web.enable-lifecycle",
        "--web.config.file=" + directory_.Write("web.yml", "basic_auth_users:\n  alice: " +
                                                               BcryptHash(kPassword, cost) + "\n")};
    settings.arguments.insert(settings.arguments.end(), more.begin(), more.end());
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  /// GET from a source address of 127/8.
  CurlReply Get(const std::string& user_and_password, const std::string& path = "/healthz",
                const std::string& from = "127.0.0.1") const {
    return Curl({"--user", user_and_password, "--interface", from, Url(path)});
  }

  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(exporter_->port()) + path;
  }

  TempDirectory directory_;
  std::unique_ptr<Exporter> exporter_;
};

std::string Alice(const std::string& password) { return "alice:" + password; }

TEST_F(BasicAuth, EveryPathWantsThePassword) {
  Start(4);
  for (const char* path : {"/", "/metrics", "/healthz", "/readyz", "/-/reload", "/no-such-page"}) {
    const CurlReply without = Curl({Url(path)});
    EXPECT_EQ(without.status, 401) << path;
    EXPECT_THAT(without.headers, HasSubstr("\r\nWWW-Authenticate: Basic")) << path;
    EXPECT_EQ(without.body, "Unauthorized\n") << path;
    EXPECT_NE(Get(Alice(kPassword), path).status, 401) << path;
  }
  EXPECT_EQ(Curl({"--request", "POST", Url("/-/reload")}).status, 401);
  EXPECT_EQ(Curl({"--request", "DELETE", Url("/metrics")}).status, 401);
  EXPECT_EQ(Get(Alice(kPassword)).status, 200);
  EXPECT_EQ(Get("bob:" + std::string(kPassword)).status, 401);
  EXPECT_EQ(Get(Alice(kWrong)).status, 401);
  EXPECT_EQ(Curl({"--header", "Authorization: Bearer x", Url("/metrics")}).status, 401);
  EXPECT_EQ(Curl({"--header", "Authorization: Basic !", Url("/metrics")}).status, 401);
}

TEST_F(BasicAuth, PasswordsAreInNoLog) {
  Start(4);
  Get(Alice(kPassword));
  Get(Alice(kWrong));
  const Ended ended = exporter_->End(SIGTERM);
  for (const std::string& secret :
       {std::string(kPassword), std::string(kWrong),
        // Both with their user, as they come.
        std::string("YWxpY2U6Y29ycmVjdCBob3JzZQ"), std::string("YWxpY2U6d3IwbmcgYmF0dGVyeQ")}) {
    EXPECT_THAT(ended.output, Not(HasSubstr(secret)));
  }
}

TEST_F(BasicAuth, GuessesAreLimitedByAddressAndTheRightOnesGoOn) {
  Start(4);
  ASSERT_EQ(Get(Alice(kPassword)).status, 200);
  int refused = 0;
  int checked = 0;
  const auto begin = Clock::now();
  for (int i = 0; i < 30; ++i) {
    const CurlReply reply = Get(Alice(kWrong));
    checked += reply.status == 401 ? 1 : 0;
    if (reply.status == 429) {
      ++refused;
      EXPECT_THAT(reply.headers, HasSubstr("\r\nRetry-After: "));
    }
    // From the same address: known, so that it costs no try.
    ASSERT_EQ(Get(Alice(kPassword)).status, 200);
  }
  const std::chrono::duration<double> took = Clock::now() - begin;
  EXPECT_EQ(refused + checked, 30);
  EXPECT_GE(checked, 5);
  EXPECT_LE(checked, 5 + took.count() / 2 + 1);
  // Somebody else may still try.
  EXPECT_EQ(Get(Alice(kWrong), "/healthz", "127.0.0.9").status, 401);
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// How long a guess took that was checked. Each comes from another address; those of all together
/// are limited, too, and wait.
double SecondsOfGuess(int port, const std::string& credentials, const std::string& from) {
  double seconds = 0;
  EXPECT_TRUE(WaitUntil([&] {
    const Ended ended =
        RunProgram({"curl", "--silent", "--output", "/dev/null", "--write-out",
                    "%{http_code} %{time_total}", "--user", credentials, "--interface", from,
                    "http://127.0.0.1:" + std::to_string(port) + "/healthz"});
    seconds = std::atof(ended.output.c_str() + 4);
    return ended.output.starts_with("401 ");
  }));
  return seconds;
}

// unit/authenticator_test counts the bcrypts; this looks at the clock as an attacker would.
TEST_F(BasicAuth, AnUnknownUserTakesAsLongAsAWrongPassword) {
  Start(10);
  std::vector<double> known;
  std::vector<double> unknown;
  for (int i = 1; i <= 20; ++i) {
    const std::string from = "127.0.3." + std::to_string(i);
    known.push_back(SecondsOfGuess(exporter_->port(), Alice(kWrong), from));
    unknown.push_back(SecondsOfGuess(exporter_->port(), std::string("mallory:") + kWrong, from));
  }
  const double ratio = Median(unknown) / Median(known);
  EXPECT_GT(ratio, 0.7);
  EXPECT_LT(ratio, 1.4);
  // A bcrypt of this cost takes tens of milliseconds: neither was answered without one.
  EXPECT_GT(Median(unknown), 0.01);
  RecordProperty("known_ms", static_cast<int>(Median(known) * 1'000));
  RecordProperty("unknown_ms", static_cast<int>(Median(unknown) * 1'000));
}

// Forty clients guess from forty addresses, with hashes that take long. Who is known is served
// without waiting for any of them.
TEST_F(BasicAuth, GuessesByManyDontHoldUpWhoIsKnown) {
  Start(12);
  ASSERT_EQ(Get(Alice(kPassword)).status, 200);
  std::atomic<bool> done = false;
  std::atomic<int> limited = 0;
  std::vector<std::jthread> guessers;
  for (int i = 1; i <= 40; ++i) {
    guessers.emplace_back([&, from = "127.0.4." + std::to_string(i)] {
      while (!done) {
        limited += Get(Alice(kWrong), "/healthz", from).status == 429 ? 1 : 0;
      }
    });
  }
  EXPECT_TRUE(WaitUntil([&] { return limited > 20; }));
  for (int i = 0; i < 20; ++i) {
    const CurlReply reply = Get(Alice(kPassword), "/metrics");
    EXPECT_EQ(reply.status, 200) << reply.exit_code;
  }
  done = true;
}

TEST_F(BasicAuth, CommandsTakeAPassword) {
  Start(4);
  const std::string right = directory_.Write("right", std::string(kPassword) + "\n");
  const std::string wrong = directory_.Write("wrong", kWrong);
  const auto top_series = [&](const std::vector<std::string>& flags) {
    std::vector<std::string> argv = {ExporterBinary(), "top-series", Url("/metrics")};
    argv.insert(argv.end(), flags.begin(), flags.end());
    return RunProgram(argv).output;
  };
  EXPECT_THAT(top_series({"--user", "alice", "--password-file", right}), HasSubstr("families: "));
  EXPECT_THAT(top_series({"--user", "alice", "--password-file", wrong}), HasSubstr("status 401"));
  EXPECT_THAT(top_series({}), HasSubstr("it wants a user and a password"));
  EXPECT_THAT(top_series({"--user", "alice", "--password-file", "/nonexistent"}),
              HasSubstr("cannot read the password in /nonexistent"));
  EXPECT_THAT(top_series({"--user", "alice", "--password-file", "/dev/zero"}),
              HasSubstr("cannot read the password in /dev/zero: more than 1024 characters"));
}

}  // namespace
}  // namespace sched_exporter::test_support
