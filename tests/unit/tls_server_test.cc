// Clients that stall: how long they may keep a thread of a server that speaks TLS.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <thread>
#include <vector>

#include "exporter/http/client.h"
#include "exporter/http/openssl.h"
#include "exporter/http/server.h"
#include "exporter/http/tls_client.h"
#include "exporter/http/web_guard.h"
#include "tests/support/certificates.h"
#include "tests/support/http_client.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;
using test_support::HttpConnection;
using Clock = std::chrono::steady_clock;

constexpr int kThreads = 16;
/// What any silent client may keep its thread for (HttpServer), and what a busy machine adds.
constexpr auto kSilence = 8s;
constexpr auto kSlack = 12s;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TlsServer : public ::testing::Test {
 protected:
  void SetUp() override {
    certificates_.Make({.name = "server"});
    auto started = HttpServer::Start({{"127.0.0.1:0"}, nullptr, GuardWith("server")},
                                     {{"/", [](const HttpRequest&) {
                                         HttpResponse response;
                                         response.body = std::string(1'000'000, 'x');
                                         return response;
                                       }}});
    ASSERT_TRUE(started) << started.error().message;
    server_ = std::move(*started);
  }

  /// TLS with the certificate of this name.
  std::shared_ptr<WebGuard> GuardWith(const std::string& name) const {
    WebSettings settings;
    settings.tls.emplace();
    settings.tls->certificate_pem = ReadAll(certificates_.Certificate(name));
    settings.tls->key_pem = ReadAll(certificates_.Key(name));
    auto guard = std::make_shared<WebGuard>();
    EXPECT_TRUE(guard->Apply(settings));
    return guard;
  }

  HttpConnection Connect() const {
    auto connection = HttpConnection::Open(server_->port(), "127.0.0.1", 60s);
    EXPECT_TRUE(connection) << connection.error().message;
    return std::move(*connection);
  }

  Result<std::string> Get(std::chrono::milliseconds timeout = 60s) const {
    return HttpGet("https://127.0.0.1:" + std::to_string(server_->port()) + "/", timeout, 2'000'000,
                   {.ca_file = certificates_.Certificate("server")});
  }

  test_support::Certificates certificates_;
  std::unique_ptr<HttpServer> server_;
};

/// The first flight of a handshake.
std::string ClientHello() {
  auto client = TlsClient::Make("localhost", {});
  EXPECT_TRUE(client);
  EXPECT_TRUE((*client)->Run(TlsClient::Handshake()));
  return (*client)->TakeOutput();
}

/// Sends `bytes` one by one, each `pause`, then nothing, until the server hangs up: how long that
/// took.
Clock::duration UntilHungUp(HttpConnection connection, std::string_view bytes,
                            Clock::duration pause) {
  const auto begin = Clock::now();
  while (Clock::now() < begin + 60s) {
    pollfd end{connection.fd(), POLLIN | POLLRDHUP, 0};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(pause);
    const bool says = ::poll(&end, 1, static_cast<int>(wait.count())) == 1;
    if (says && !connection.ReadToEnd().has_value()) {
      break;  // reset
    }
    if (says) {
      break;
    }
    if (!bytes.empty()) {
      (void)connection.Send(bytes.substr(0, 1));
      bytes.remove_prefix(1);
    }
  }
  return Clock::now() - begin;
}

TEST_F(TlsServer, AHandshakeThatStallsIsGivenUpAsSoonAsOtherSilence) {
  const std::string hello = ClientHello();
  struct Case {
    const char* what;
    std::string_view first;
    std::string_view trickle;
  };
  const std::vector<Case> cases = {
      {"nothing", "", ""},
      {"half a hello", std::string_view(hello).substr(0, hello.size() / 2), ""},
      {"a hello that trickles", "", hello},
      {"no answer to the server's hello", hello, ""},
  };
  std::vector<std::jthread> clients;
  for (const Case& stall : cases) {
    clients.emplace_back([this, &stall] {
      HttpConnection connection = Connect();
      ASSERT_TRUE(stall.first.empty() || connection.Send(stall.first));
      // The server's hello is no end; the connection is read to that.
      const auto begin = Clock::now();
      if (stall.first.size() > 0 && stall.trickle.empty()) {
        (void)connection.ReadToEnd();
      } else {
        UntilHungUp(std::move(connection), stall.trickle, 100ms);
      }
      EXPECT_LT(Clock::now() - begin, kSilence + kSlack) << stall.what;
    });
  }
}

// As many as there are threads: a scrape waits until one of them is given up.
TEST_F(TlsServer, AnswersBesideHandshakesThatStall) {
  std::vector<HttpConnection> stalled;
  for (int i = 0; i < kThreads; ++i) {
    stalled.push_back(Connect());
    if (i % 2 == 0) {
      ASSERT_TRUE(stalled.back().Send(ClientHello()));
    }
  }
  const auto begin = Clock::now();
  const auto body = Get();
  ASSERT_TRUE(body) << body.error().message;
  EXPECT_EQ(body->size(), 1'000'000U);
  EXPECT_LT(Clock::now() - begin, kSilence + kSlack);
}

/// Whether a scrape is answered while one thread less than all is held by handshakes that stall,
/// before any of them is given up.
bool IsAnsweredBeside(const std::vector<HttpConnection>& stalled,
                      const std::function<Result<std::string>()>& scrape) {
  const auto body = scrape();
  EXPECT_TRUE(body) << body.error().message;
  return std::all_of(stalled.begin(), stalled.end(), [](const HttpConnection& connection) {
    char byte = 0;
    return ::recv(connection.fd(), &byte, 1, MSG_DONTWAIT) == -1;
  });
}

TEST_F(TlsServer, OneThreadLessAndNobodyWaits) {
  const std::string beginning = ClientHello().substr(0, 20);
  bool answered = false;
  // On a machine that stands still for seconds, handshakes are given up meanwhile.
  for (int round = 0; round < 10 && !answered; ++round) {
    std::vector<HttpConnection> stalled;
    for (int i = 0; i < kThreads - 1; ++i) {
      stalled.push_back(Connect());
      ASSERT_TRUE(stalled.back().Send(beginning));
    }
    answered = IsAnsweredBeside(stalled, [this] { return Get(); });
  }
  EXPECT_TRUE(answered);
}

TEST_F(TlsServer, StopsAtOnceBesideHandshakesThatStall) {
  std::vector<HttpConnection> stalled;
  for (int i = 0; i < 30; ++i) {  // more than threads: some wait in the queue
    stalled.push_back(Connect());
    if (i % 2 == 0) {
      ASSERT_TRUE(stalled.back().Send(ClientHello()));
    }
  }
  pollfd first{stalled.front().fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&first, 1, 10'000), 1);  // the server's hello: a thread is busy with it
  const auto begin = Clock::now();
  server_.reset();
  EXPECT_LT(Clock::now() - begin, 1s);
}

TEST_F(TlsServer, TheClientTellsWhyItDoesNotTrust) {
  const std::string url = "https://localhost:" + std::to_string(server_->port()) + "/";
  const auto reason = [&](const HttpClientOptions& options) {
    const auto body = HttpGet(url, 60s, 2'000'000, options);
    return body ? "trusted" : body.error().message;
  };
  certificates_.Make({.name = "other"});
  EXPECT_EQ(reason({.ca_file = certificates_.Certificate("server")}), "trusted");
  EXPECT_EQ(reason({.insecure = true}), "trusted");
  EXPECT_EQ(reason({.pinned_certificate_pem = ReadAll(certificates_.Certificate("server"))}),
            "trusted");
  EXPECT_EQ(reason({}), "cannot get " + url +
                            ": the server's certificate is not trusted (self-signed certificate)");
  EXPECT_THAT(reason({.ca_file = certificates_.Certificate("other")}),
              ::testing::HasSubstr("not trusted"));
  EXPECT_THAT(reason({.pinned_certificate_pem = ReadAll(certificates_.Certificate("other"))}),
              ::testing::HasSubstr("not trusted"));
  EXPECT_THAT(HttpGet("https://127.0.0.2:1/", 30s, 1, {.ca_file = "/nonexistent"}).error().message,
              ::testing::HasSubstr("cannot connect"));
}

TEST_F(TlsServer, TheClientWantsTheNameThatItAskedFor) {
  certificates_.Make({.name = "elsewhere", .alternative_names = "DNS:elsewhere"});
  const auto server = HttpServer::Start({{"127.0.0.1:0"}, nullptr, GuardWith("elsewhere")}, {});
  ASSERT_TRUE(server) << server.error().message;
  for (const char* name : {"localhost", "127.0.0.1"}) {
    const auto body =
        HttpGet("https://" + std::string(name) + ":" + std::to_string((*server)->port()) + "/", 30s,
                1'000, {.ca_file = certificates_.Certificate("elsewhere")});
    ASSERT_FALSE(body);
    EXPECT_THAT(body.error().message, ::testing::HasSubstr("mismatch")) << name;
  }
}

}  // namespace
}  // namespace sched_exporter
