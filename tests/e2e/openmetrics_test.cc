// OpenMetrics as its readers get it: by the Accept of Prometheus, with the series of the classic
// format, and with created times where the config asks for them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include "tests/support/exporter.h"
#include "tests/support/hostile_processes.h"
#include "tests/support/http_client.h"
#include "tests/support/openmetrics_checks.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/scripted_server.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

using Json = nlohmann::json;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kContentType[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What Prometheus 2.42 sends.
const HeaderMap kPrometheus{
    {"Accept",
     "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
     "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}};

double UnixTime() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::set<std::string> NamesOf(const MetricsText& metrics) {
  std::set<std::string> names;
  for (const Line& line : metrics.lines()) {
    names.insert(line.name);
  }
  return names;
}

class OpenMetrics : public ::testing::Test {
 protected:
  void Start(const std::string& config = "") {
    Exporter::Settings settings;
    settings.config = config;
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  HttpReply Get(const HeaderMap& headers) const {
    const auto reply = HttpGet(exporter_->port(), "/metrics", headers);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(HttpReply{});
  }

  MetricsText Scrape() const {
    const auto metrics = MetricsText::Parse(Get(kPrometheus).body);
    EXPECT_TRUE(metrics) << metrics.error().message;
    return metrics.value_or(MetricsText{});
  }

  std::unique_ptr<Exporter> exporter_;
};

TEST_F(OpenMetrics, IsWhatPrometheusGets) {
  Start();
  const HttpReply reply = Get(kPrometheus);
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.headers, Contains(Pair("content-type", kContentType)));
  EXPECT_THAT(reply.headers, Contains(Pair("vary", "Accept, Accept-Encoding")));
  EXPECT_THAT(reply.body, EndsWith("\n# EOF\n"));
  const auto series = SeriesOfOpenMetrics(reply.body);
  EXPECT_TRUE(series) << series.error().message;
}

TEST_F(OpenMetrics, IsCompressedAsTheOtherFormat) {
  Start();
  HeaderMap headers = kPrometheus;
  headers["Accept-Encoding"] = "gzip";
  const HttpReply reply = Get(headers);
  EXPECT_THAT(reply.headers, Contains(Pair("content-type", kContentType)));
  EXPECT_THAT(reply.headers, Contains(Pair("content-encoding", "gzip")));
  const auto text = Gunzip(reply.body);
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, EndsWith("\n# EOF\n"));
}

TEST_F(OpenMetrics, IsNotForThoseWhoDoNotAskForIt) {
  Start();
  for (const HeaderMap& headers : {HeaderMap{}, HeaderMap{{"Accept", "*/*"}},
                                   HeaderMap{{"Accept", "text/plain;version=0.0.4"}}}) {
    const HttpReply reply = Get(headers);
    EXPECT_THAT(reply.headers,
                Contains(Pair("content-type", "text/plain; version=0.0.4; charset=utf-8")));
    EXPECT_THAT(reply.headers, Contains(Pair("vary", "Accept, Accept-Encoding")));
    EXPECT_THAT(reply.body, Not(EndsWith("# EOF\n")));
  }
}

TEST_F(OpenMetrics, HostileNamesKeepTheFormat) {
  const HostileProcesses processes;
  Start("limits:\n  processes: 100000\n  groups: 100000\nopenmetrics: {created: true}\n");
  const HttpReply reply = Get(kPrometheus);
  const auto series = SeriesOfOpenMetrics(reply.body);
  ASSERT_TRUE(series) << series.error().message;
  const auto metrics = MetricsText::Parse(reply.body);
  ASSERT_TRUE(metrics) << metrics.error().message;
  for (const HostileProcess& process : processes.all()) {
    EXPECT_EQ(metrics->Count("sched_process_info", {{"pid", std::to_string(process.pid)},
                                                    {"comm", process.name.comm},
                                                    {"group", process.name.group}}),
              1U)
        << process.name.group;
  }
}

/// `data` of an answer of Prometheus' API.
Json DataOf(const Result<std::string>& text) {
  EXPECT_TRUE(text) << text.error().message;
  const Json reply = Json::parse(text.value_or("{}"), nullptr, false);
  return reply.is_object() && reply.contains("data") ? reply["data"] : Json();
}

TEST_F(OpenMetrics, HasTheNamesOfTheClassicFormatInPrometheus) {
  Start();
  const auto server = PrometheusServer::Start(exporter_->port());
  ASSERT_TRUE(server) << server.error().message;
  const auto names = [&] {
    std::set<std::string> known;
    for (const Json& name : DataOf((*server)->Get("/api/v1/label/__name__/values"))) {
      if (name != "up" && !name.get<std::string>().starts_with("scrape_")) {
        known.insert(name.get<std::string>());
      }
    }
    return known;
  };
  ASSERT_TRUE(WaitUntil([&] { return !names().empty(); }, std::chrono::minutes(1)))
      << (*server)->Log();
  // A family may get its first series while we look.
  std::set<std::string> stored;
  std::set<std::string> classic;
  WaitUntil([&] {
    classic = NamesOf(*exporter_->Scrape());
    stored = names();
    return stored == classic;
  });
  EXPECT_EQ(stored, classic);
  // Only this format has units: Prometheus did ask for it.
  const Json metadata =
      DataOf((*server)->Get("/api/v1/targets/metadata?metric=sched_group_cpu_seconds"));
  ASSERT_EQ(metadata.size(), 1U) << metadata;
  EXPECT_EQ(metadata[0]["unit"], "seconds");
  EXPECT_EQ(metadata[0]["type"], "counter");
}

/// Answers every request with one text.
class StaticTarget {
 public:
  StaticTarget(const std::string& file, const std::string& content_type)
      : server_([text = ReplyWith(file, content_type)](int fd, const std::string& /*head*/) {
          ScriptedServer::Send(fd, text);
        }) {}

  int port() const { return server_.port(); }

 private:
  static std::string ReplyWith(const std::string& file, const std::string& content_type) {
    std::ostringstream body;
    body << std::ifstream(SOURCE_DIR "/tests/golden/" + file).rdbuf();
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " + content_type +
           "\r\nContent-Length: " + std::to_string(body.str().size()) + "\r\n\r\n" + body.str();
  }

  ScriptedServer server_;
};

/// Series of a job with their values, without what Prometheus adds.
std::map<std::string, std::string> SeriesOf(const PrometheusServer& server,
                                            const std::string& job) {
  std::map<std::string, std::string> series;
  const Json data =
      DataOf(server.Query("{job=\"" + job + "\",__name__!~\"up|scrape_.*\"}", UnixTime()));
  for (const Json& result : data["result"]) {
    Json labels = result["metric"];
    labels.erase("job");
    labels.erase("instance");
    series[labels.dump()] = result["value"][1].get<std::string>();
  }
  return series;
}

/// The golden texts are what the exporter serves of one sample in either format
/// (tests/unit/openmetrics_test.cc).
TEST(OpenMetricsGolden, IsTheSameInPrometheusAsTheClassicFormat) {
  const StaticTarget classic("host.txt", "text/plain; version=0.0.4; charset=utf-8");
  const StaticTarget open("host.openmetrics.txt", kContentType);
  const StaticTarget created("created.openmetrics.txt", kContentType);
  const auto server = PrometheusServer::Start(
      {{"classic", classic.port()}, {"open", open.port()}, {"created", created.port()}});
  ASSERT_TRUE(server) << server.error().message;
  std::map<std::string, std::map<std::string, std::string>> all;
  ASSERT_TRUE(WaitUntil(
      [&] {
        bool complete = true;
        for (const char* job : {"classic", "open", "created"}) {
          all[job] = SeriesOf(**server, job);
          complete = complete && !all[job].empty();
        }
        return complete;
      },
      std::chrono::minutes(1)))
      << (*server)->Log();
  EXPECT_GT(all["classic"].size(), 100U);
  EXPECT_EQ(all["open"], all["classic"]);
  std::erase_if(all["created"], [](const auto& series) {
    return series.first.find("_created\"") != std::string::npos;
  });
  EXPECT_EQ(all["created"], all["classic"]);
}

/// Every sample `_created`, by name and labels.
std::map<std::pair<std::string, Labels>, double> CreatedOf(const MetricsText& metrics) {
  std::map<std::pair<std::string, Labels>, double> created;
  for (const Line& line : metrics.lines()) {
    if (line.name.ends_with("_created")) {
      created[{line.name, line.labels}] = line.value;
    }
  }
  return created;
}

constexpr char kWithCreated[] = "openmetrics: {created: true}\nlimits: {dead_series: 0s}\n";

TEST_F(OpenMetrics, CreatedIsAfterTheExportersStartAndBeforeTheScrape) {
  Start(kWithCreated);
  const MetricsText first = Scrape();
  const double began = first.Sum("process_start_time_seconds");
  const auto before = CreatedOf(first);
  EXPECT_GT(before.size(), 20U);
  EXPECT_EQ(first.Count("sched_group_cpu_seconds_created"),
            first.Count("sched_group_cpu_seconds_total"));
  // The kernel tells the start of the process in ticks.
  for (const auto& [series, created] : before) {
    EXPECT_GE(created, began - 0.01) << series.first;
    EXPECT_LE(created, UnixTime()) << series.first;
  }
  std::size_t both = 0;
  for (const auto& [series, created] : CreatedOf(Scrape())) {
    if (const auto known = before.find(series); known != before.end()) {
      EXPECT_EQ(created, known->second) << series.first << ": it must not waver";
      ++both;
    }
  }
  EXPECT_GT(both, 20U);
}

TEST_F(OpenMetrics, CreatedIsOnlyWhereTheConfigAsks) {
  Start("openmetrics: {created: false}\n");
  EXPECT_THAT(CreatedOf(Scrape()), IsEmpty());
  std::ofstream(exporter_->config_path()) << kWithCreated;
  kill(exporter_->pid(), SIGHUP);
  EXPECT_TRUE(WaitUntil([&] { return !CreatedOf(Scrape()).empty(); }));
  EXPECT_THAT(CreatedOf(*exporter_->Scrape()), IsEmpty()) << "the classic format has none";
}

/// A process of its own name that uses CPU time until it is told to end.
class Burner {
 public:
  explicit Burner(const std::string& comm)
      : pid_(Fork([comm] {
          SetComm(comm);
          Burn(std::chrono::hours(1));
          return true;
        })) {}
  ~Burner() {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
  Burner(const Burner&) = delete;
  Burner& operator=(const Burner&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(OpenMetrics, CpuTimeSinceCreatedIsWhatTheKernelSays) {
  Start(kWithCreated);
  const Burner burner("om-burner");
  const Labels labels{{"pid", std::to_string(burner.pid())}};
  ASSERT_TRUE(
      WaitUntil([&] { return Scrape().Sum("sched_process_cpu_seconds_total", labels) > 0.3; }));
  const auto run_s = [&] { return static_cast<double>(ReadSchedStat(burner.pid()).run_ns) / 1e9; };
  const double least = run_s();
  const MetricsText metrics = Scrape();
  const double most = run_s();
  const double counted = metrics.Sum("sched_process_cpu_seconds_total", labels);
  // What runs is up to a tick ahead of /proc.
  EXPECT_GE(counted, least - 0.05);
  EXPECT_LE(counted, most + 0.05) << "all of its life";
  EXPECT_EQ(metrics.Count("sched_process_cpu_seconds_created", labels), 2U);
  const double created = metrics.Sum("sched_process_cpu_seconds_created", labels) / 2;
  EXPECT_NEAR(created, metrics.Sum("sched_process_start_time_seconds", labels), 1e-6);
}

TEST_F(OpenMetrics, AGroupThatBeginsAnewIsCreatedAfterItsLastScrape) {
  Start(kWithCreated);
  const Labels labels{{"group", "om-again"}};
  const auto cpu = [&] { return Scrape().Sum("sched_group_cpu_seconds_total", labels); };
  const auto created = [&] {
    const MetricsText metrics = Scrape();
    const auto n = static_cast<double>(metrics.Count("sched_group_cpu_seconds_created", labels));
    return n == 0 ? 0 : metrics.Sum("sched_group_cpu_seconds_created", labels) / n;
  };
  const double begin = UnixTime();
  Scrape();
  double first = 0;
  {
    const Burner burner("om-again");
    ASSERT_TRUE(WaitUntil([&] { return cpu() > 0.3; }));
    first = created();
  }
  EXPECT_LE(first, UnixTime());
  EXPECT_GE(first, begin) << "a sweep began after that, and had no such group";
  double last_seen = 0;
  ASSERT_TRUE(WaitUntil([&] {
    const double now = UnixTime();
    const bool is_there = Scrape().Count("sched_group_cpu_seconds_total", labels) > 0;
    last_seen = is_there ? now : last_seen;
    return !is_there;
  }));
  const Burner burner("om-again");
  ASSERT_TRUE(WaitUntil([&] { return cpu() > 0.1; }));
  EXPECT_GE(created(), last_seen) << "or Prometheus would take it for the same counter";
  EXPECT_LE(created(), UnixTime());
}

TEST_F(OpenMetrics, APrometheusWithoutUseForCreatedStoresItBesideTheCounters) {
  Start(kWithCreated);
  const auto server = PrometheusServer::Start(exporter_->port());
  ASSERT_TRUE(server) << server.error().message;
  const auto value = [&](const std::string& expression) {
    const Json result = DataOf((*server)->Query(expression, UnixTime()))["result"];
    return result.size() == 1 ? std::stod(result[0]["value"][1].get<std::string>()) : -1;
  };
  ASSERT_TRUE(WaitUntil([&] { return value("count(sched_cpu_busy_seconds_created)") > 0; },
                        std::chrono::minutes(1)))
      << (*server)->Log();
  EXPECT_EQ(value("count(sched_cpu_busy_seconds_created)"),
            value("count(sched_cpu_busy_seconds_total)"));
  EXPECT_EQ(value("max(changes(sched_cpu_busy_seconds_created[1m]))"), 0);
  EXPECT_EQ(value("min(up)"), 1);
}

}  // namespace
}  // namespace sched_exporter::test_support
