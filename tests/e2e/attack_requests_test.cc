// Requests that are too large, malformed or too many for one connection. None of them gets what it
// wants, and none harms the others.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/attack.h"
#include "tests/support/certificates.h"
#include "tests/support/http_client.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// With what clients send; each is asked for a thousand times in turns.
struct Request {
  std::string name;
  std::string bytes;
};

std::string Get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}

std::string Repeated(const std::string& text, std::size_t count) {
  std::string all;
  all.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

/// Too large, or no HTTP: there is no answer, or one that says so.
std::vector<Request> BadRequests() {
  const std::string m64(64 * 1024, 'a');
  return {
      {"a request line of 64 KB", Get("/" + m64)},
      {"a query of 64 KB", Get("/api/v1/top?view=" + m64)},
      {"a header of 64 KB", Get("/metrics", "X: " + m64 + "\r\n")},
      {"a header's name of 64 KB", Get("/metrics", m64 + ": x\r\n")},
      {"5,000 headers", Get("/metrics", Repeated("X: y\r\n", 5'000))},
      {"100 MB announced in a head that never ends", Get("/metrics").substr(0, 20) + m64},
      {"a negative length", Get("/metrics", "Content-Length: -1\r\n")},
      {"a length beyond 64 bits", Get("/metrics", "Content-Length: 99999999999999999999\r\n")},
      {"a length that is no number", Get("/metrics", "Content-Length: 0x10\r\n")},
      {"NUL in the target", Get(std::string("/metr\0ics", 9))},
      {"NUL in a header", Get("/metrics", std::string("X: a\0b\r\n", 8))},
      {"nothing but NUL", std::string(100, '\0')},
      {"an escape sequence", Get("/\x1b[31m")},
      {"HTTP/0.9", "GET /metrics\r\n\r\n"},
      {"HTTP/3.0", "GET /metrics HTTP/3.0\r\nHost: a\r\n\r\n"},
      {"HTTP/1.1.1", "GET /metrics HTTP/1.1.1\r\nHost: a\r\n\r\n"},
      {"a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"no version", "GET /metrics \r\nHost: a\r\n\r\n"},
      {"an unknown method", "BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a method of 4 KB", std::string(4'096, 'G') + " /metrics HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"CONNECT", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TRACE", "TRACE /metrics HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n"},
      {"a target without a slash", Get("metrics")},
      {"a target that is a star", Get("*")},
      {"another scheme", Get("gopher://127.0.0.1/metrics")},
      {"a path with dots", Get("/../../../etc/passwd")},
      {"a path with escaped dots", Get("/%2e%2e/%2e%2e/etc/passwd")},
      {"a path with an escaped NUL", Get("/metrics%00.html")},
      {"bytes that are no UTF-8 in the path", Get("/\xff\xfe\xc0\xaf")},
      {"bad escapes in the path", Get("/%zz%1%")},
      {"bad escapes in a query", Get("/api/v1/top?view=%zz&sort=%")},
      {"an empty line first and nothing more", "\r\n\r\n"},
      {"a line without a colon", Get("/metrics", "nonsense\r\n")},
      {"a body of which half comes", "POST /metrics HTTP/1.1\r\nContent-Length: 10\r\n\r\nhello"},
      {"a reload with an endless body",
       "POST /-/reload HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello"},
      {"a ClientHello", std::string("\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03", 11)},
  };
}

class HostileRequests : public UnderAttack {
 protected:
  /// The answer to bytes after which the client sends nothing more; empty for none.
  std::string AnswerTo(const std::string& bytes) const {
    auto connection = HttpConnection::Open(exporter_->port());
    EXPECT_TRUE(connection) << connection.error().message;
    // The server may hang up before it has taken all.
    (void)connection->Send(bytes);
    shutdown(connection->fd(), SHUT_WR);
    return connection->ReadToEnd().value_or("");
  }
};

TEST_F(HostileRequests, BadOnesAreRefused) {
  Start();
  Begin();
  for (const Request& bad : BadRequests()) {
    const std::string answer = AnswerTo(bad.bytes);
    const std::string head = answer.substr(0, 200);
    EXPECT_THAT(head, AnyOf(IsEmpty(), MatchesRegex("HTTP/1.1 [45][0-9][0-9] (.|\n)*")))
        << bad.name;
    EXPECT_THAT(head, Not(HasSubstr("root:"))) << bad.name;
    EXPECT_THAT(head, Not(HasSubstr("secret"))) << bad.name;
  }
  AwaitScrapes(5);
  EndOf("requests that are malformed or too large, one each");
}

TEST_F(HostileRequests, AThousandOfEachAtOnceHoldNothingUp) {
  const std::vector<Request> all = BadRequests();
  const int rounds = IsSanitized() ? 5 : 30;
  Start();
  Begin();
  AllowDescriptors(10'000);
  for (int round = 0; round < rounds; ++round) {
    std::vector<UniqueFd> connections;
    for (const Request& bad : all) {
      connections.push_back(ConnectFrom(OtherAddress(round), exporter_->port()));
      SendSome(connections.back(), bad.bytes);
    }
  }
  AwaitScrapes(5);
  EndOf(std::to_string(all.size() * static_cast<std::size_t>(rounds)) +
        " of them as fast as it goes");
}

TEST_F(HostileRequests, ABodyIsNotTakenForARequest) {
  Start();
  // Lengths that disagree, which proxies and servers read differently: nothing behind the first
  // request may be answered as a second one.
  const std::string smuggled = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const std::string fields : {"Content-Length: 0\r\nContent-Length: 35\r\n",
                                   "Content-Length: 35\r\nContent-Length: 0\r\n",
                                   "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                                   "Transfer-Encoding: xchunked\r\n", "Content-Length: 35\r\n"}) {
    const std::string answer =
        AnswerTo("POST /metrics HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + smuggled);
    EXPECT_THAT(answer, Not(HasSubstr("200 OK"))) << fields;
  }
}

TEST_F(HostileRequests, AThousandRequestsInOneConnection) {
  constexpr int kRequests = 1'000;
  Start();
  Begin();
  auto connection = HttpConnection::Open(exporter_->port());
  ASSERT_TRUE(connection) << connection.error().message;
  // More than is answered before the connection is too old: then it is closed behind a whole
  // answer.
  (void)connection->Send(Repeated(Get("/healthz"), kRequests));
  int answers = 0;
  bool stays = true;
  while (stays && answers < kRequests) {
    const auto reply = connection->ReadReply();
    if (!reply) break;
    EXPECT_EQ(reply->status, 200);
    EXPECT_EQ(reply->body, "ok\n");
    stays = reply->headers.at("connection") == "keep-alive";
    ++answers;
  }
  EXPECT_TRUE(answers == kRequests || !stays) << answers;
  AwaitScrapes(5);
  EndOf("1,000 requests in one connection (" + std::to_string(answers) + " answered)");
}

TEST_F(HostileRequests, AThousandScrapesInOneConnectionThatAreNotRead) {
  Start();
  Begin();
  const UniqueFd fd = ConnectFrom("127.0.0.2", exporter_->port(), 4'096);
  SendSome(fd, Repeated(Get("/metrics"), 1'000));
  AwaitScrapes(20);
  EndOf("1,000 scrapes in one connection, unread");
}

TEST_F(HostileRequests, PlainHttpToATlsPort) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  const TempDirectory directory;
  const std::string web = directory.Write(
      "web.yml", "tls_server_config: {cert_file: " + certificates.Certificate("server") +
                     ", key_file: " + certificates.Key("server") + "}\n");
  Exporter::Settings settings;
  settings.arguments = {"--web.config.file=" + web};
  auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  exporter_ = std::move(*exporter);
  const auto before = HoldingsOf(exporter_->pid());
  for (const Request& bad : BadRequests()) {
    EXPECT_THAT(AnswerTo(bad.bytes).substr(0, 200), Not(HasSubstr("HTTP/1.1 2"))) << bad.name;
  }
  const Ended curl =
      RunProgram({"curl", "-sS", "--cacert", certificates.Certificate("server"),
                  "https://127.0.0.1:" + std::to_string(exporter_->port()) + "/healthz"});
  EXPECT_EQ(curl.output, "ok\n");
  EXPECT_LE(HoldingsOf(exporter_->pid()).threads, before.threads);
}

}  // namespace
}  // namespace sched_exporter::test_support
