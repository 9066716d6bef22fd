#include "exporter/http/address.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/http/listen.h"

namespace sched_exporter {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string PortOf(const std::string& text, Ipv6 ipv6) {
  const auto address = ParseListenAddress(text);
  if (!address) return address.error().message;
  const auto endpoint = Resolve(*address, ipv6);
  return endpoint ? CivetwebPort(*endpoint) : endpoint.error().message;
}

TEST(ParseListenAddress, AcceptsEachForm) {
  const struct {
    std::string text, host;
    int port;
  } cases[] = {
      {":10140", "", 10140},
      {"0.0.0.0:80", "0.0.0.0", 80},
      {"127.0.0.1:0", "127.0.0.1", 0},
      {"[::1]:9100", "::1", 9100},
      {"[::]:65535", "::", 65535},
      {"[2001:db8::7]:1", "2001:db8::7", 1},
      {"localhost:1234", "localhost", 1234},
      {"node-7.example.com:00080", "node-7.example.com", 80},
  };
  for (const auto& c : cases) {
    const auto address = ParseListenAddress(c.text);
    ASSERT_TRUE(address) << c.text << ": " << address.error().message;
    EXPECT_EQ(address->host, c.host) << c.text;
    EXPECT_EQ(address->port, c.port) << c.text;
  }
}

TEST(ParseListenAddress, RefusesEverythingElse) {
  const std::string cases[] = {
      "",
      ":",
      "10140",
      "localhost",
      "localhost:",
      ":http",
      ":-1",
      ":+80",
      ":65536",
      ":100000",
      ": 80",
      ":80 ",
      ":0x50",
      "::1:80",
      "[::1]",
      "[::1]80",
      "[]:80",
      "[::1:80",
      "::1]:80",
      "[localhost]:80",
      "[127.0.0.1]:80",
      "[fe80::1%eth0]:80",
      "256.0.0.1:80",
      "1.2.3:80",
      "0x7f000001:80",
      "2130706433:80",
      "-a:80",
      ".a:80",
      "a b:80",
      "a/b:80",
      "http://a:80",
      "user@a:80",
      "a\n:80",
      std::string(254, 'a') + ":80",
  };
  for (const std::string& text : cases) {
    const auto address = ParseListenAddress(text);
    EXPECT_FALSE(address) << text;
    if (!address) {
      EXPECT_THAT(address.error().message, StartsWith("invalid listen address \""));
    }
  }
}

// civetweb reads a list in which each port may end in s (TLS), r (redirect) or o (optional).
TEST(ParseListenAddress, RefusesTheListSyntaxOfCivetweb) {
  for (const char* text : {"80,443", ":80,:443", ":443s", ":80r", ":80o", "127.0.0.1:80,81", "+80",
                           "+:80", "x/tmp/socket:80", "localhost,8080:80"}) {
    EXPECT_FALSE(ParseListenAddress(text)) << text;
  }
  EXPECT_FALSE(ParseListenAddress(std::string_view("::1\0]:80", 8)));
  EXPECT_FALSE(ParseListenAddress(std::string_view("127.0.0.1\0:80", 13)));
}

TEST(ParseListenAddress, QuotesTheTextInOneShortLine) {
  EXPECT_EQ(ParseListenAddress("a\nb:1").error().message,
            "invalid listen address \"a?b:1\": the host is neither an IP address nor a name");
  EXPECT_LT(ParseListenAddress(std::string(100000, 'x')).error().message.size(), 250);
}

TEST(ListenAddressKinds, SaysThatThereIsTcpOnly) {
  for (const char* address : {"unix:/run/sched.sock", "/run/sched.sock", "vsock://:10140"}) {
    const auto parsed = ParseListenAddress(address);
    ASSERT_FALSE(parsed) << address;
    EXPECT_THAT(parsed.error().message, HasSubstr("serves TCP only")) << address;
  }
}

TEST(Resolve, WritesNumbersForCivetweb) {
  EXPECT_EQ(PortOf(":10140", Ipv6::kAvailable), "+10140");
  EXPECT_EQ(PortOf(":10140", Ipv6::kNotInCivetweb), "0.0.0.0:10140");
  EXPECT_EQ(PortOf(":10140", Ipv6::kNotOnThisHost), "0.0.0.0:10140");
  EXPECT_EQ(PortOf("127.0.0.1:80", Ipv6::kAvailable), "127.0.0.1:80");
  EXPECT_EQ(PortOf("[2001:0db8::0001]:80", Ipv6::kAvailable), "[2001:db8::1]:80");
}

TEST(Resolve, PrefersIpv4ForNames) {
  EXPECT_EQ(PortOf("localhost:1234", Ipv6::kAvailable), "127.0.0.1:1234");
}

TEST(Resolve, SaysWhyThereIsNoIpv6) {
  EXPECT_EQ(PortOf("[::1]:80", Ipv6::kNotInCivetweb),
            "the civetweb library was built without IPv6; use an IPv4 address");
  EXPECT_EQ(PortOf("[::1]:80", Ipv6::kNotOnThisHost), "this host has no IPv6; use an IPv4 address");
}

TEST(Resolve, FailsForAnUnknownName) {
  EXPECT_THAT(PortOf("no-such-host.invalid:80", Ipv6::kAvailable),
              HasSubstr("cannot resolve the host"));
}

TEST(Resolve, KeepsTheAddressWhenThePortChanges) {
  const auto endpoint = Resolve({"127.0.0.1", 0}, Ipv6::kAvailable);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(CivetwebPort(WithPort(*endpoint, 4711)), "127.0.0.1:4711");
}

}  // namespace
}  // namespace sched_exporter
