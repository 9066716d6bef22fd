#include "tests/support/prometheus_server.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "tests/support/free_port.h"
#include "tests/support/http_client.h"
#include "tests/support/wait_until.h"
#include "tests/support/workload.h"

namespace sched_exporter::test_support {
namespace {

std::string UrlEncode(std::string_view text) {
  std::string encoded;
  for (const char byte : text) {
    char hex[4];
    std::snprintf(hex, sizeof(hex), "%%%02X", static_cast<unsigned char>(byte));
    encoded += hex;
  }
  return encoded;
}

pid_t Spawn(const std::string& config, const std::string& storage, const std::string& address,
            const std::string& log) {
  return Fork([&] {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
    execlp("prometheus", "prometheus", ("--config.file=" + config).c_str(),
           ("--storage.tsdb.path=" + storage).c_str(), ("--web.listen-address=" + address).c_str(),
           static_cast<char*>(nullptr));
    return false;
  });
}

}  // namespace

Result<std::unique_ptr<PrometheusServer>> PrometheusServer::Start(
    const std::map<std::string, int>& jobs, const Keys& keys) {
  std::string text = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n";
  for (const auto& [job, port] : jobs) {
    text.append("  - job_name: ").append(job);
    text.append("\n    static_configs: [{targets: ['127.0.0.1:").append(std::to_string(port));
    text.append("']}]\n");
    for (const std::string& key : keys) {
      text.append("    ").append(key).append("\n");
    }
  }
  return StartWithConfig(text);
}

Result<std::unique_ptr<PrometheusServer>> PrometheusServer::StartWithConfig(
    const std::string& text) {
  std::unique_ptr<PrometheusServer> server(new PrometheusServer());
  const std::string& directory = server->directory_.path();
  const std::string config = server->directory_.Write("prometheus.yml", text);
  server->port_ = FreePort();
  server->pid_ = Spawn(config, directory + "/data", "127.0.0.1:" + std::to_string(server->port_),
                       directory + "/log");
  const bool ready = WaitUntil([&] {
    const auto reply = HttpGet(server->port_, "/-/ready");
    return reply && reply->status == 200;
  });
  if (!ready) {
    return Fail("Prometheus doesn't get ready: " + server->Log());
  }
  return server;
}

PrometheusServer::~PrometheusServer() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    Wait(pid_);
  }
}

Result<std::string> PrometheusServer::Get(const std::string& path) const {
  auto reply = HttpGet(port_, path);
  if (!reply) {
    return tl::unexpected(reply.error());
  }
  if (reply->status != 200) {
    return Fail(path + ": " + std::to_string(reply->status) + " " + reply->body);
  }
  return reply->body;
}

Result<std::string> PrometheusServer::Query(const std::string& expression, double time_s) const {
  return Get("/api/v1/query?query=" + UrlEncode(expression) + "&time=" + std::to_string(time_s));
}

Result<std::string> PrometheusServer::LabelValues(const std::string& selector,
                                                  const std::string& label) const {
  return Get("/api/v1/label/" + label + "/values?match[]=" + UrlEncode(selector));
}

Result<std::string> PrometheusServer::TargetHealth() const {
  return Get("/api/v1/targets").map([](const std::string& text) {
    const auto reply = nlohmann::json::parse(text, nullptr, false);
    const auto& targets = reply["data"]["activeTargets"];
    return targets.empty() ? std::string("unknown")
                           : targets[0]["health"].get<std::string>() +
                                 targets[0]["lastError"].get<std::string>();
  });
}

Result<MetricsText> PrometheusServer::OwnMetrics() const {
  return Get("/metrics").and_then([](const std::string& text) { return MetricsText::Parse(text); });
}

std::string PrometheusServer::Log() const {
  std::ostringstream text;
  text << std::ifstream(directory_.path() + "/log").rdbuf();
  return text.str();
}

}  // namespace sched_exporter::test_support
