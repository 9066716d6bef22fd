#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/exporter.h"
#include "tests/support/exposition_checks.h"
#include "tests/support/http_client.h"

namespace sched_exporter::test_support {

using Json = nlohmann::json;

/// An exporter with this config; null where it doesn't start, which fails the test.
inline std::unique_ptr<Exporter> StartExporter(const std::string& config) {
  auto exporter = Exporter::Start({config, {}, {}});
  EXPECT_TRUE(exporter) << exporter.error().message;
  return exporter ? std::move(*exporter) : nullptr;
}

/// The answer of a page.
inline HttpReply Get(const Exporter& exporter, const std::string& target) {
  const auto reply = HttpGet(exporter.port(), target);
  EXPECT_TRUE(reply) << reply.error().message;
  return reply ? *reply : HttpReply{};
}

/// The JSON of a page, which has to be valid UTF-8 and of the right type.
inline Json GetJson(const Exporter& exporter, const std::string& target) {
  const HttpReply reply = Get(exporter, target);
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_TRUE(IsUtf8(reply.body));
  Json answer = Json::parse(reply.body, nullptr, false);
  EXPECT_FALSE(answer.is_discarded()) << reply.body;
  return answer;
}

}  // namespace sched_exporter::test_support
