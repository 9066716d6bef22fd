// What a client of the exporter sees: pages, formats, flags, and scrapes side by side.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/exporter.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class Serving : public ::testing::Test {
 protected:
  void Start(const std::vector<std::string>& arguments = {}, const std::string& config = "") {
    Exporter::Settings settings;
    settings.arguments = arguments;
    settings.config = config;
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  HttpReply Request(const std::string& method, const std::string& path,
                    const HeaderMap& headers = {}) const {
    auto reply = HttpSend(method, exporter_->port(), path, headers);
    EXPECT_TRUE(reply) << path << ": " << reply.error().message;
    return reply ? *reply : HttpReply{};
  }
  HttpReply Get(const std::string& path, const HeaderMap& headers = {}) const {
    return Request("GET", path, headers);
  }

  double Collections() const {
    const auto scrape = exporter_->Scrape();
    EXPECT_TRUE(scrape) << scrape.error().message;
    return scrape ? scrape->Sum("sched_exporter_collections_total") : 0;
  }

  std::unique_ptr<Exporter> exporter_;
};

std::set<std::string> Names(const std::string& text) {
  const auto metrics = MetricsText::Parse(text);
  EXPECT_TRUE(metrics) << metrics.error().message;
  std::set<std::string> names;
  for (const Line& line : metrics ? metrics->lines() : std::vector<Line>()) {
    names.insert(line.name);
  }
  return names;
}

/// Names of families, from their TYPE lines.
std::vector<std::string> Families(const std::string& text) {
  std::vector<std::string> families;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      families.push_back(line.substr(7, line.find(' ', 7) - 7));
    }
  }
  return families;
}

TEST_F(Serving, MetricsAreTextWithTheContentTypeOfTheFormat) {
  Start();
  const HttpReply reply = Get("/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(reply.headers.count("content-encoding"), 0U);
  EXPECT_THAT(Names(reply.body), ::testing::SizeIs(::testing::Gt(20)));
}

TEST_F(Serving, GzipHoldsTheSameSeries) {
  Start();
  const HttpReply plain = Get("/metrics");
  const HttpReply zipped = Get("/metrics", {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(zipped.status, 200);
  EXPECT_EQ(zipped.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(zipped.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const auto text = Gunzip(zipped.body);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_LT(zipped.body.size(), text->size());
  EXPECT_EQ(Names(*text), Names(plain.body));
}

TEST_F(Serving, HeadSaysWhatGetWouldSend) {
  Start();
  auto connection = HttpConnection::Open(exporter_->port());
  ASSERT_TRUE(connection) << connection.error().message;
  ASSERT_TRUE(connection->Send(RequestText("HEAD", "/metrics")));
  const auto reply = connection->ReadReply(false);
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_GT(std::stoi(reply->headers.at("content-length")), 1000);
}

TEST_F(Serving, PromtoolFindsNothingToComplainAbout) {
  Start();
  const Ended promtool = PromtoolCheck(Get("/metrics").body);
  EXPECT_EQ(promtool.output, "");
  EXPECT_EQ(promtool.exit_code, 0);
}

TEST_F(Serving, NoSeriesIsThereTwice) {
  Start();
  const auto scrape = exporter_->Scrape();
  ASSERT_TRUE(scrape) << scrape.error().message;
  EXPECT_THAT(DuplicateSeries(*scrape), IsEmpty());
}

TEST_F(Serving, EveryFamilyIsDocumented) {
  const std::string page = std::string(SOURCE_DIR) + "/docs/metrics.md";
  if (!std::filesystem::exists(page)) {
    GTEST_SKIP() << "there is no " << page;
  }
  std::ostringstream text;
  text << std::ifstream(page).rdbuf();
  Start();
  for (const std::string& family : Families(Get("/metrics").body)) {
    EXPECT_THAT(text.str(), ::testing::ContainsRegex("[^a-z_]" + family + "[^a-z_]"));
  }
}

TEST_F(Serving, LandingPageLinksToTheOthers) {
  Start();
  const HttpReply reply = Get("/");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "text/html; charset=utf-8");
  for (const char* link : {"href=\"/metrics\"", "href=\"/healthz\"", "href=\"/readyz\""}) {
    EXPECT_THAT(reply.body, HasSubstr(link));
  }
  EXPECT_THAT(reply.body, HasSubstr("Version "));
}

TEST_F(Serving, HealthAndReadinessAreOk) {
  Start();
  for (const char* path : {"/healthz", "/readyz"}) {
    const HttpReply reply = Get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.body, "ok\n") << path;
  }
}

TEST_F(Serving, WhatIsNoPageIsNotFound) {
  Start();
  for (const char* path : {"/metric", "/metrics/", "/index.html", "/../etc/passwd"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
}

TEST_F(Serving, OnlyGetAndHeadAreAllowed) {
  Start();
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(Request(method, "/metrics").status, 405) << method;
  }
}

TEST_F(Serving, TelemetryPathMovesTheMetrics) {
  Start({"--web.telemetry-path=/sched/metrics"});
  EXPECT_EQ(Get("/metrics").status, 404);
  EXPECT_THAT(Names(Get("/sched/metrics").body),
              ::testing::Contains("sched_exporter_collections_total"));
  EXPECT_THAT(Get("/").body, HasSubstr("href=\"/sched/metrics\""));
}

TEST_F(Serving, CollectionGoesOnWithoutScrapes) {
  Start({}, "collection:\n  interval: 100ms\n");
  const bool grows = WaitUntil([this] {
    const double before = Collections();
    std::this_thread::sleep_for(std::chrono::seconds(1));
    // One of them is the second scrape's own.
    return Collections() - before >= 3;
  });
  EXPECT_TRUE(grows);
}

/// Scrapes from `count` threads that begin together; how many came back whole.
int ScrapeTogether(const Exporter& exporter, int count) {
  std::atomic<bool> go{false};
  std::atomic<int> whole{0};
  std::vector<std::thread> threads(static_cast<std::size_t>(count));
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      while (!go) {
        std::this_thread::yield();
      }
      const auto reply = HttpGet(exporter.port(), "/metrics", {}, std::chrono::minutes(1));
      const auto metrics = reply && reply->status == 200
                               ? MetricsText::Parse(reply->body)
                               : Fail(reply ? reply->body : reply.error().message);
      EXPECT_TRUE(metrics) << metrics.error().message;
      whole += metrics && DuplicateSeries(*metrics).empty() ? 1 : 0;
    });
  }
  go = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  return whole;
}

TEST_F(Serving, FiftyScrapesAtOnceAreWholeAndShareWalks) {
  constexpr int kScrapes = 50;
  constexpr int kRounds = 20;
  // The interval keeps walks that no scrape asked for out of the count.
  Start({}, "collection:\n  interval: 5m\n");
  bool shared = false;
  // Whether two scrapes meet is up to the scheduler: once in twenty rounds they must.
  for (int round = 0; round < kRounds && !shared; ++round) {
    const double before = Collections();
    ASSERT_EQ(ScrapeTogether(*exporter_, kScrapes), kScrapes);
    const double walks = Collections() - before - 1;
    ASSERT_LE(walks, kScrapes);
    shared = walks < kScrapes;
  }
  EXPECT_TRUE(shared);
}

TEST(CommandLine, VersionIsOneLine) {
  const Ended ended = RunProgram({ExporterBinary(), "--version"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_THAT(ended.output, MatchesRegex("sched_exporter [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST(CommandLine, HelpListsEveryFlag) {
  const Ended ended = RunProgram({ExporterBinary(), "--help"});
  EXPECT_EQ(ended.exit_code, 0);
  for (const char* flag : {"--help", "--config.file FILE", "--web.listen-address ADDRESS=:10140",
                           "--web.config.file FILE", "--web.telemetry-path PATH=/metrics",
                           "--log.level LEVEL:{debug,info,warn,error}=info",
                           "--log.format FORMAT:{logfmt,json}=logfmt", "--config.check",
                           "--allow-second-instance", "--version"}) {
    EXPECT_THAT(ended.output, HasSubstr(flag));
  }
}

TEST(CommandLine, ConfigCheckTakesAGoodFileWithoutPrivileges) {
  const TempDirectory directory;
  const std::string file = std::string(SOURCE_DIR) + "/config/default.yml";
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  const std::string copy = directory.path() + "/config.yml";
  std::filesystem::copy(file, copy);
  const Ended ended = RunProgram({"setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all",
                                  ExporterBinary(), "--config.check", "--config.file=" + copy});
  EXPECT_EQ(ended.output, "config is good\n");
  EXPECT_EQ(ended.exit_code, 0);
}

TEST(CommandLine, ConfigCheckShowsEveryMistake) {
  const TempDirectory directory;
  const std::string file = directory.Write("config.yml", "limits:\n  proceses: 5\n  groups: no\n");
  const Ended ended = RunProgram({ExporterBinary(), "--config.check", "--config.file=" + file});
  EXPECT_EQ(ended.output,
            "sched_exporter: " + file +
                ":2:3: limits: expected a known key, got \"proceses\"; did you mean "
                "\"processes\"?\n" +
                file + ":3:11: limits.groups: expected an integer from 1 to 100000, got \"no\"\n");
  EXPECT_EQ(ended.exit_code, 1);
}

}  // namespace
}  // namespace sched_exporter::test_support
