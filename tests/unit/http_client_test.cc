#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "exporter/http/client.h"
#include "exporter/http/response_reader.h"
#include "tests/support/scripted_server.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;
using test_support::ScriptedServer;
using testing::EndsWith;

using testing::StartsWith;

constexpr auto kLong = 20s;
constexpr std::size_t kRoom = 1'000;

/// A server that sends this and closes the connection.
ScriptedServer::Script Sends(const std::string& bytes) {
  return [bytes](int fd, const std::string&) { ScriptedServer::Send(fd, bytes); };
}

std::string BodyFrom(const std::string& answer, std::size_t room = kRoom) {
  const ScriptedServer server(Sends(answer));
  const auto body = HttpGet(server.Url(), kLong, room);
  return body ? *body : body.error().message;
}

/// What HttpGet says of the answer after "cannot get URL: ".
std::string ReasonFor(const std::string& answer, std::size_t room = kRoom) {
  const ScriptedServer server(Sends(answer));
  const auto body = HttpGet(server.Url(), kLong, room);
  if (body) {
    return "no failure";
  }
  const std::string begin = "cannot get " + server.Url() + ": ";
  EXPECT_THAT(body.error().message, StartsWith(begin));
  return body.error().message.substr(begin.size());
}

TEST(HttpClient, GetsABody) {
  std::string head;
  const ScriptedServer server([&](int fd, const std::string& request) {
    head = request;
    ScriptedServer::Send(fd, ScriptedServer::Reply("{}"));
    ScriptedServer::WaitForEnd(fd);  // the length is enough
  });
  const auto body = HttpGet(server.Url("/pods?x=1"), kLong, kRoom);
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(*body, "{}");
  EXPECT_EQ(head, "GET /pods?x=1 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                      "\r\nUser-Agent: sched_exporter\r\nConnection: close\r\n\r\n");
}

TEST(HttpClient, KnowsLocalhostAndIpv6) {
  const ScriptedServer v4(Sends(ScriptedServer::Reply("four")));
  EXPECT_EQ(HttpGet("http://localhost:" + std::to_string(v4.port()), kLong, kRoom), "four");
  const ScriptedServer v6(Sends(ScriptedServer::Reply("six")), AF_INET6);
  EXPECT_EQ(HttpGet("http://[::1]:" + std::to_string(v6.port()) + "?a", kLong, kRoom), "six");
}

TEST(HttpClient, ReadsAllFramings) {
  EXPECT_EQ(BodyFrom("HTTP/1.1 200 OK\r\ncontent-length:  3 \r\n\r\nabc"), "abc");
  EXPECT_EQ(BodyFrom("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "");
  EXPECT_EQ(BodyFrom("HTTP/1.0 200 OK\r\n\r\nuntil the end"), "until the end");
  EXPECT_EQ(BodyFrom("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
                     "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"),
            "abc0123456789");
}

TEST(HttpClient, ReadsWhatComesByteByByte) {
  const std::string answer =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  ResponseReader reader(kRoom);
  for (const char c : answer) {
    EXPECT_FALSE(reader.done());
    ASSERT_TRUE(reader.Feed({&c, 1}));
  }
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.TakeBody(), "abcde");
}

TEST(HttpClient, RefusesOtherStatuses) {
  EXPECT_EQ(ReasonFor("HTTP/1.1 403 <script>\r\nContent-Length: 0\r\n\r\n"),
            "the server answered with status 403");
  // A kubelet's TLS port.
  EXPECT_EQ(ReasonFor("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS "
                      "server.\n"),
            "the server answered with status 400");
  EXPECT_EQ(ReasonFor("HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\n\r\n"),
            "the server answered with status 301");
}

TEST(HttpClient, RefusesWhatIsNoHttp) {
  for (const char* answer : {"SSH-2.0-OpenSSH_9.2\r\n", "\n", "HTTP/1.1 2\r\n", "HTTP/2 200 OK\r\n",
                             "HTTP/1.1 -20 OK\r\n", "HTTP/1.1 abc\r\n"}) {
    EXPECT_EQ(ReasonFor(answer), "the answer is no HTTP/1.1") << answer;
  }
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const char* length : {"-1", "+1", "1x", "", "99999999999999999999", "1, 1"}) {
    EXPECT_EQ(ReasonFor(head + "Content-Length: " + length + "\r\n\r\nx"),
              "the answer's Content-Length makes no sense")
        << length;
  }
  EXPECT_EQ(ReasonFor(head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            "the answer's Content-Length makes no sense");
  EXPECT_EQ(ReasonFor(head + "Transfer-Encoding: gzip, chunked\r\n\r\n"),
            "the answer's transfer encoding is not \"chunked\"");
}

TEST(HttpClient, RefusesBadChunks) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* size : {"", "-1", "0x1", "zz", "11111111111111111"}) {
    EXPECT_EQ(ReasonFor(head + size + "\r\na\r\n0\r\n\r\n"), "a chunk of the answer has no size")
        << size;
  }
  EXPECT_EQ(ReasonFor(head + "1\r\nab\r\n0\r\n\r\n"), "a chunk of the answer has a wrong size");
}

TEST(HttpClient, RefusesCutAnswers) {
  for (const char* answer :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"}) {
    EXPECT_EQ(ReasonFor(answer), "the server ended the connection within its answer") << answer;
  }
}

TEST(HttpClient, TakesNoLargerBodies) {
  const std::string reason = "the answer has more than 3 bytes";
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(BodyFrom(head + "\r\nabc", 3), "abc");
  EXPECT_EQ(ReasonFor(head + "\r\nabcd", 3), reason);
  EXPECT_EQ(ReasonFor(head + "Content-Length: 18446744073709551615\r\n\r\n", 3), reason);
  EXPECT_EQ(BodyFrom(chunked + "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 3), "abc");
  EXPECT_EQ(ReasonFor(chunked + "2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", 3), reason);
  EXPECT_EQ(ReasonFor(chunked + "1\r\na\r\nffffffffffffffff\r\n", 3), reason);
}

/// An answer that never ends.
struct Endless {
  std::string begin;
  std::string piece;
};

ScriptedServer::Script SendsAll(const Endless& answer, std::chrono::milliseconds pause = 0ms) {
  return [=](int fd, const std::string&) {
    bool open = ScriptedServer::Send(fd, answer.begin);
    while (open) {
      std::this_thread::sleep_for(pause);
      open = ScriptedServer::Send(fd, answer.piece);
    }
  };
}

TEST(HttpClient, TakesNoEndlessHeaders) {
  const std::string status = "HTTP/1.1 200 OK\r\n";
  const std::string last_chunk = status + "Transfer-Encoding: chunked\r\n\r\n0\r\n";
  for (const Endless& answer : {Endless{"", "x"}, Endless{status, "x"}, Endless{status, "X: y\r\n"},
                                Endless{last_chunk, "X: y\r\n"}, Endless{last_chunk, "x"}}) {
    const ScriptedServer server(SendsAll(answer));
    const auto body = HttpGet(server.Url(), kLong, kRoom);
    ASSERT_FALSE(body);
    EXPECT_THAT(body.error().message,
                EndsWith("the headers of the answer have more than 16384 bytes"))
        << answer.begin << answer.piece;
  }
}

/// Checks that HttpGet gives up after its timeout.
void ExpectTimeout(const std::string& url) {
  const auto timeout = 300ms;
  const auto begin = std::chrono::steady_clock::now();
  const auto body = HttpGet(url, timeout, 1'000'000'000);
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().message, "cannot get " + url +
                                      ": no complete answer in time; is the server slow or "
                                      "overloaded?");
  EXPECT_GE(took, timeout);
  EXPECT_LT(took, timeout + 5s);  // a busy machine is slow, but nothing waits for 10 s
}

TEST(HttpClient, WaitsForNoSilentServer) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
  for (const std::string& sent :
       {std::string(), std::string("HTTP/1.1 200 OK\r\nX: "), head + "a"}) {
    const ScriptedServer server([&](int fd, const std::string&) {
      ScriptedServer::Send(fd, sent);
      ScriptedServer::WaitForEnd(fd);
    });
    ExpectTimeout(server.Url());
  }
}

TEST(HttpClient, WaitsForNoServerThatTrickles) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const Endless& answer :
       {Endless{"", "H"}, Endless{head + "Content-Length: 100000\r\n\r\n", "a"},
        Endless{head + "\r\n", "a"},
        Endless{head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"}}) {
    const ScriptedServer server(SendsAll(answer, 10ms));
    ExpectTimeout(server.Url());
  }
}

// The client never has to wait for its socket here.
TEST(HttpClient, WaitsForNoEndOfAFastServer) {
  const ScriptedServer server(SendsAll({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                        "1;" + std::string(4'000, 'x') + "\r\na\r\n"}));
  ExpectTimeout(server.Url());
}

TEST(HttpClient, WaitsForNoServerThatAcceptsNobody) {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), any, size), 0);
  ASSERT_EQ(::listen(listener.get(), 0), 0);
  ASSERT_EQ(::getsockname(listener.get(), any, &size), 0);
  std::vector<UniqueFd> queue;  // full from here on, so the kernel drops what connects
  for (int i = 0; i < 8; ++i) {
    queue.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(queue.back().get(), any, size));
  }
  ExpectTimeout("http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/pods");
}

TEST(HttpClient, TellsThatNobodyListens) {
  std::string url;
  {
    const ScriptedServer server(Sends(""));
    url = server.Url();
  }
  const auto body = HttpGet(url, kLong, kRoom);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().message, "cannot get " + url +
                                      ": cannot connect: Connection refused; does the server "
                                      "listen there?");
}

TEST(HttpClient, RefusesOtherUrls) {
  for (const std::string& url :
       {std::string(), std::string("pods"), std::string("ftp://127.0.0.1/"),
        std::string("HTTP://127.0.0.1"), std::string("http://"), std::string("http:///pods"),
        std::string("http://127.0.0.1:0/"), std::string("http://127.0.0.1:65536/"),
        std::string("http://127.0.0.1:/"), std::string("http://127.0.0.1:80:80/"),
        std::string("http://::1/"), std::string("http://[::1/"), std::string("http://[::1]x/"),
        std::string("http://[127.0.0.1]/"), std::string("http://127.0.0.1/a b"),
        std::string("http://127.0.0.1/a\r\nX: y"), std::string("http://127.0.0.1/\0x", 19),
        std::string("http://127.0.0.1/#a"), "http://127.0.0.1/" + std::string(3'000, 'a')}) {
    const auto body = HttpGet(url, kLong, kRoom);
    ASSERT_FALSE(body) << url;
    EXPECT_EQ(body.error().message.find_first_of(std::string("\r\n\0", 3)), std::string::npos);
    EXPECT_LT(body.error().message.size(), 400U);
  }
  EXPECT_EQ(HttpGet("http://node-1.example:10255/pods", kLong, kRoom).error().message,
            "cannot get http://node-1.example:10255/pods: its host is no IP address; use one, or "
            "localhost");
}

TEST(HttpClient, ShowsNoPasswords) {
  for (const std::string& url : {std::string("http://u:secret@127.0.0.1/"),
                                 "http://u:secret" + std::string(300, 'x') + "@127.0.0.1/"}) {
    EXPECT_EQ(HttpGet(url, kLong, kRoom).error().message,
              "cannot get (URL with a user name): neither a user name nor a fragment (#) may be in "
              "it");
  }
}

}  // namespace
}  // namespace sched_exporter
