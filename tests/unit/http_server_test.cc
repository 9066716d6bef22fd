#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <thread>

#include "exporter/http/server.h"
#include "tests/support/http_client.h"

namespace sched_exporter {
namespace {

using test_support::Gunzip;
using test_support::HttpConnection;
using test_support::HttpGet;
using test_support::HttpReply;
using test_support::HttpSend;
using test_support::HttpSendRaw;
using test_support::RequestText;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;
using Clock = std::chrono::steady_clock;

HttpResponse Page(std::string body, bool compressible = false) {
  HttpResponse response;
  response.body = std::move(body);
  response.compressible = compressible;
  return response;
}

HttpResponse HtmlPage() {
  HttpResponse response = Page("<p>hello</p>");
  response.content_type = "text/html; charset=utf-8";
  return response;
}

// About 1.2 MB of text that looks like metrics.
const std::string& BigText() {
  static const std::string text = [] {
    std::string made;
    for (int i = 0; made.size() < 1200000; ++i) {
      made += "sched_cpu_seconds_total{group=\"g" + std::to_string(i % 97) + "\",pid=\"" +
              std::to_string(i) + "\"} " + std::to_string(i * 31) + "\n";
    }
    return made;
  }();
  return text;
}

class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = HttpServer::Start("127.0.0.1:0", Routes(), [this](std::string_view line) {
      const std::lock_guard lock(mutex_);
      log_.emplace_back(line);
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  static std::vector<HttpRoute> Routes() {
    return {{"/", [](const HttpRequest&) { return HtmlPage(); }},
            {"/small", [](const HttpRequest&) { return Page("small\n", true); }},
            {"/big", [](const HttpRequest&) { return Page(BigText(), true); }},
            {"/huge", [](const HttpRequest&) { return Page(std::string(20000000, 'x')); }},
            {"/failed",
             [](const HttpRequest&) {
               return HttpResponse{500, "text/plain", "why\n"};
             }},
            {"/request",
             [](const HttpRequest& request) {
               return Page(std::string(request.query) + "|" + std::string(request.accept));
             }},
            {"/bad_alloc", [](const HttpRequest&) -> HttpResponse { throw std::bad_alloc(); }},
            {"/odd", [](const HttpRequest&) -> HttpResponse { throw 7; }}};
  }

  int port() const { return server_->port(); }

  HttpReply Get(const std::string& path, const test_support::HeaderMap& headers = {}) {
    return Checked(HttpGet(port(), path, headers));
  }

  static HttpReply Checked(Result<HttpReply> reply) {
    EXPECT_TRUE(reply) << reply.error().message;
    return reply.value_or(HttpReply{});
  }

  HttpConnection Connect() {
    auto connection = HttpConnection::Open(port());
    EXPECT_TRUE(connection) << connection.error().message;
    return std::move(*connection);
  }

  // The promise that SIGTERM ends the program within a second rests on this.
  void ExpectStopsWithinASecond() {
    const auto start = Clock::now();
    server_.reset();
    const std::chrono::duration<double> took = Clock::now() - start;
    EXPECT_LT(took.count(), 1.0);
    RecordProperty("stop_ms", static_cast<int>(took.count() * 1000));
  }

  std::unique_ptr<HttpServer> server_;
  std::mutex mutex_;
  std::vector<std::string> log_;
};

TEST_F(HttpServerTest, AnswersARouteWithAllHeaders) {
  const HttpReply reply = Get("/small");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "small\n");
  EXPECT_EQ(reply.headers, (test_support::HeaderMap{{"content-type", "text/plain; charset=utf-8"},
                                                    {"content-length", "6"},
                                                    {"connection", "keep-alive"},
                                                    {"cache-control", "no-store"},
                                                    {"x-content-type-options", "nosniff"},
                                                    {"vary", "Accept-Encoding"}}));
}

TEST_F(HttpServerTest, MatchesPathsExactly) {
  EXPECT_EQ(Get("/small?debug=1&x=%2e").body, "small\n");
  EXPECT_EQ(Get("http://localhost:" + std::to_string(port()) + "/small").body, "small\n");
  for (const char* path : {"/smal", "/small/", "/SMALL", "//small", "/./small", "/x/../small",
                           "/%73mall", "/small%00", "/../../etc/passwd", "/.htpasswd",
                           "/%2e%2e/%2e%2e/etc/passwd", "/..\\..\\etc", "/etc/passwd", "/x.cgi"}) {
    const HttpReply reply = Get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.body, "not found\n") << path;
  }
}

TEST_F(HttpServerTest, TellsQueryAndAcceptAsTheyCome) {
  EXPECT_EQ(Get("/request?a=%20&b", {{"Accept", "text/x;q=1"}}).body, "a=%20&b|text/x;q=1");
}

TEST_F(HttpServerTest, AllowsGetAndHeadOnly) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "CONNECT"}) {
    const HttpReply reply = Checked(HttpSend(method, port(), "/small"));
    EXPECT_EQ(reply.status, 405) << method;
    EXPECT_THAT(reply.headers, Contains(Pair("allow", "GET, HEAD"))) << method;
  }
  const auto with_body =
      HttpSendRaw(port(), "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(with_body) << with_body.error().message;
  EXPECT_THAT(*with_body, StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, SendsNoBodyForHead) {
  HttpConnection connection = Connect();
  ASSERT_TRUE(connection.Send(RequestText("HEAD", "/small") +
                              RequestText("GET", "/", {{"Connection", "close"}})));
  const HttpReply head = Checked(connection.ReadReply(/*has_body=*/false));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "6");
  EXPECT_EQ(Checked(connection.ReadReply()).body, "<p>hello</p>");
  EXPECT_EQ(connection.ReadToEnd().value_or("?"), "");
}

TEST_F(HttpServerTest, CompressesWhereItIsAcceptedAndWorthIt) {
  const HttpReply reply = Get("/big", {{"Accept-Encoding", "deflate, gzip;q=0.9"}});
  EXPECT_EQ(reply.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(reply.headers.at("vary"), "Accept-Encoding");
  EXPECT_LT(reply.body.size(), BigText().size() / 3);
  EXPECT_TRUE(Gunzip(reply.body).value_or("") == BigText());
  const HttpReply plain = Get("/big");
  EXPECT_THAT(plain.headers, Not(Contains(Pair("content-encoding", ::testing::_))));
  EXPECT_TRUE(plain.body == BigText());
  for (const char* path : {"/small", "/"}) {
    EXPECT_THAT(Get(path, {{"Accept-Encoding", "gzip"}}).headers,
                Not(Contains(Pair("content-encoding", ::testing::_))));
  }
}

TEST_F(HttpServerTest, KeepsConnectionsAsTheClientWishes) {
  HttpConnection connection = Connect();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection.Send(RequestText("GET", "/big")));
    ASSERT_TRUE(Checked(connection.ReadReply()).body == BigText());
  }
  ASSERT_TRUE(connection.Send(RequestText("GET", "/small", {{"Connection", "close"}})));
  EXPECT_EQ(Checked(connection.ReadReply()).headers.at("connection"), "close");
  EXPECT_EQ(connection.ReadToEnd().value_or("?"), "");
  const auto old_client = HttpSendRaw(port(), "GET /small HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(old_client);
  EXPECT_THAT(*old_client, HasSubstr("\r\nConnection: close\r\n"));
}

TEST_F(HttpServerTest, ClosesAnOldConnectionAfterItsAnswer) {
  HttpConnection connection = Connect();
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  std::string wish = "keep-alive";
  while (wish == "keep-alive" && Clock::now() < deadline) {
    ASSERT_TRUE(connection.Send(RequestText("GET", "/small")));
    wish = Checked(connection.ReadReply()).headers["connection"];
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(wish, "close");
}

TEST_F(HttpServerTest, SurvivesHandlersThatThrow) {
  for (const char* path : {"/bad_alloc", "/odd"}) {
    const HttpReply reply = Get(path);
    EXPECT_EQ(reply.status, 500);
    EXPECT_EQ(reply.body, "internal error\n");
  }
  EXPECT_EQ(Get("/failed").body, "why\n");
  EXPECT_EQ(Get("/small").status, 200);
  server_.reset();
  EXPECT_THAT(log_, Contains(HasSubstr("/bad_alloc: the handler threw: std::bad_alloc")));
}

TEST_F(HttpServerTest, RefusesWhatIsNoRequest) {
  const std::string large = "GET /small HTTP/1.1\r\nX: " + std::string(20000, 'x') + "\r\n\r\n";
  for (const std::string& bytes :
       {std::string("hello\r\n\r\n"), std::string("GET /small HTTP/3.0\r\n\r\n"),
        std::string("GET small HTTP/1.1\r\n\r\n"), std::string("GET /small\r\n\r\n"),
        std::string("GET * HTTP/1.1\r\n\r\n"), std::string("\0\0\0\0\r\n\r\n", 8),
        std::string("GET /small HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), large}) {
    const auto answer = HttpSendRaw(port(), bytes);
    if (answer && !answer->empty()) {
      EXPECT_THAT(*answer, MatchesRegex("HTTP/1.1 (4|5)(.|\n)*")) << bytes.substr(0, 50);
      EXPECT_THAT(*answer, HasSubstr("X-Content-Type-Options: nosniff")) << bytes.substr(0, 50);
    }
  }
  EXPECT_EQ(Get("/small").status, 200);
}

TEST_F(HttpServerTest, TakesNoProtocolUpgrade) {
  const HttpReply reply = Get("/small", {{"Connection", "Upgrade"},
                                         {"Upgrade", "websocket"},
                                         {"Sec-WebSocket-Version", "13"},
                                         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}});
  EXPECT_EQ(reply.status, 200);
}

TEST_F(HttpServerTest, ServesManyClientsAtOnce) {
  std::atomic<int> good = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        const auto reply = HttpGet(port(), "/big", {{"Accept-Encoding", "gzip"}});
        if (reply && Gunzip(reply->body).value_or("") == BigText()) ++good;
      }
    });
  }
  clients.clear();
  EXPECT_EQ(good, 40);
}

// As many silent clients as there are threads: the scrape waits until one of them is given up.
TEST_F(HttpServerTest, AnswersBesideSilentClients) {
  std::vector<HttpConnection> idle;
  for (int i = 0; i < 16; ++i) {
    idle.push_back(Connect());
    if (i % 2 == 0) {
      ASSERT_TRUE(idle.back().Send("GET /sm"));
    }
  }
  const auto start = Clock::now();
  const auto reply = HttpGet(port(), "/small", {}, std::chrono::seconds(60));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  RecordProperty("wait_ms",
                 static_cast<int>((Clock::now() - start) / std::chrono::milliseconds(1)));
}

TEST_F(HttpServerTest, SurvivesAClientThatLeavesInTheMiddle) {
  for (int i = 0; i < 20; ++i) {
    HttpConnection connection = Connect();
    const linger at_once{1, 0};  // RST instead of FIN
    ::setsockopt(connection.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ASSERT_TRUE(connection.Send(RequestText("GET", "/huge")));
  }
  EXPECT_EQ(Get("/small").status, 200);
}

TEST_F(HttpServerTest, StopsAtOnceWhenNobodyIsThere) { ExpectStopsWithinASecond(); }

TEST_F(HttpServerTest, StopsAtOnceBesideAllKindsOfClients) {
  std::vector<HttpConnection> clients;
  for (int i = 0; i < 30; ++i) {  // more than threads: some wait in the queue
    clients.push_back(Connect());
    if (i % 3 == 0) {  // never reads
      ASSERT_TRUE(clients.back().Send(RequestText("GET", "/huge")));
    }
    if (i % 3 == 1) {
      ASSERT_TRUE(clients.back().Send("GET /sm"));
    }
  }
  pollfd first_huge{clients.front().fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&first_huge, 1, 10000), 1);  // a thread is busy with it now
  ExpectStopsWithinASecond();
}

TEST_F(HttpServerTest, StopsAtOnceBesideAnIdleKeptConnection) {
  HttpConnection connection = Connect();
  ASSERT_TRUE(connection.Send(RequestText("GET", "/small")));
  EXPECT_EQ(Checked(connection.ReadReply()).status, 200);
  ExpectStopsWithinASecond();
  EXPECT_EQ(connection.ReadToEnd().value_or("?"), "");
}

TEST_F(HttpServerTest, StopsAtOnceWhileClientsComeAndGo) {
  std::atomic<bool> done = false;
  const int at = port();
  std::vector<std::jthread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      while (!done) (void)HttpGet(at, "/small", {}, std::chrono::seconds(5));
    });
  }
  for (int i = 0; i < 10 && !HasFailure(); ++i) {
    ExpectStopsWithinASecond();
    auto again = HttpServer::Start("127.0.0.1:" + std::to_string(at), Routes());
    ASSERT_TRUE(again) << again.error().message;
    server_ = std::move(*again);
  }
  done = true;
}

TEST_F(HttpServerTest, LeavesOtherServersOfTheProcessAlone) {
  const std::string same_port = "127.0.0.2:" + std::to_string(port());
  auto other = HttpServer::Start(same_port, Routes());
  ASSERT_TRUE(other) << other.error().message;
  HttpConnection connection = Connect();
  other->reset();
  ASSERT_TRUE(connection.Send(RequestText("GET", "/small")));
  EXPECT_EQ(Checked(connection.ReadReply()).status, 200);
}

TEST_F(HttpServerTest, FailsWhereThePortIsTaken) {
  const std::string taken = ":" + std::to_string(port());
  for (const std::string& address : {taken, "127.0.0.1" + taken, "localhost" + taken}) {
    const auto second = HttpServer::Start(address, Routes());
    ASSERT_FALSE(second) << address;
    EXPECT_EQ(second.error().message,
              "cannot listen on \"" + address +
                  "\": address already in use; choose another with --web.listen-address");
  }
}

}  // namespace
}  // namespace sched_exporter
