#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/busy_node.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {

/// A busy node and a real Prometheus that scrapes it.
class ScrapedNode : public testing::Test {
 protected:
  using Json = nlohmann::json;

  static constexpr std::chrono::seconds kPatience{120};

  /// The node; its port is for the config of Prometheus.
  void StartNode() {
    auto node = BusyNode::Start();
    ASSERT_TRUE(node) << node.error().message;
    node_ = std::move(*node);
  }

  /// Prometheus with the text of its config file; an OOM kill happens once it has scraped.
  void StartPrometheus(const std::string& config) {
    auto server = PrometheusServer::StartWithConfig(config);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    const auto scraped = [&] { return !Ask("sum_over_time(up[5m]) >= 5").empty(); };
    ASSERT_TRUE(WaitUntil(scraped, kPatience)) << server_->Log();
    const auto dead = node_->RunOutOfMemory();
    ASSERT_TRUE(dead) << dead.error().message;
  }

  /// `data` of an answer of its API; a test failure where it has something to say about `what`.
  static Json Data(const Result<std::string>& text, const std::string& what) {
    EXPECT_TRUE(text) << text.error().message;
    const Json reply = Json::parse(text.value_or("{}"), nullptr, false);
    EXPECT_EQ(reply.value("status", ""), "success") << what;
    EXPECT_FALSE(reply.contains("warnings")) << reply["warnings"] << " of " << what;
    return reply.value("data", Json::object());
  }

  /// The series of an instant query.
  Json Ask(const std::string& expression) const {
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    return Data(server_->Query(expression, now), expression).value("result", Json::array());
  }

  std::unique_ptr<BusyNode> node_;
  std::unique_ptr<PrometheusServer> server_;
};

}  // namespace sched_exporter::test_support
