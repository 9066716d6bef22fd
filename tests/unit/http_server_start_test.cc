#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/http/listen.h"
#include "exporter/http/server.h"
#include "tests/support/http_client.h"

namespace sched_exporter {
namespace {

using test_support::HttpConnection;
using test_support::HttpSendRaw;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(HttpServerStart, ExplainsOtherFailures) {
  const auto message = [](const std::string& address) {
    const auto server = HttpServer::Start(address, {});
    return server ? "started" : server.error().message;
  };
  EXPECT_EQ(message("192.0.2.1:0"),
            "cannot listen on \"192.0.2.1:0\": this host does not have the address; choose another "
            "with --web.listen-address");
  EXPECT_THAT(message("80,443s"), StartsWith("invalid listen address \"80,443s\": "));
  EXPECT_THAT(message("no-such-host.invalid:1"),
              StartsWith("cannot listen on \"no-such-host.invalid:1\": cannot resolve the host"));
  if (DetectIpv6() != Ipv6::kAvailable) {
    EXPECT_THAT(message("[::1]:0"), HasSubstr("IPv6; use an IPv4 address"));
  }
}

TEST(HttpServerStart, ListensOnAllAddresses) {
  const auto server =
      HttpServer::Start(":0", {{"/", [](const HttpRequest&) { return HttpResponse(); }}});
  ASSERT_TRUE(server) << server.error().message;
  for (const char* host : {"127.0.0.1", "127.0.0.2"}) {
    EXPECT_TRUE(HttpConnection::Open((*server)->port(), host)) << host;
  }
  // Debian's civetweb has no IPv6; where another one has it, the same socket takes both.
  const bool ipv6 = DetectIpv6() == Ipv6::kAvailable;
  EXPECT_EQ(HttpConnection::Open((*server)->port(), "::1").has_value(), ipv6);
}

TEST(HttpServerStart, PrintsNothing) {
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    const auto server = HttpServer::Start("127.0.0.1:0", {});
    ASSERT_TRUE(server);
    (void)HttpServer::Start("127.0.0.1:" + std::to_string((*server)->port()), {});
    (void)HttpSendRaw((*server)->port(), "nonsense\r\n\r\n");
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace sched_exporter
