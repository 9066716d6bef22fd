// TLS as clients see it: openssl s_client, curl and Prometheus are the peers. What is expected of
// each is what exporter-toolkit documents, and Go's crypto/tls does.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/exporter.h"
#include "tests/support/http_client.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/tls_peers.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// An exporter that serves by TLS, with a CA and certificates of all kinds.
class Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    certificates_.Make({.name = "ca", .is_ca = true});
    certificates_.Make({.name = "other-ca", .is_ca = true});
    certificates_.Make({.name = "server", .issuer = "ca"});
    certificates_.Make({.name = "expired-server", .issuer = "ca", .validity = {-3, -1}});
    certificates_.Make({.name = "good", .issuer = "ca", .alternative_names = "DNS:prom.example"});
    certificates_.Make({.name = "wrong-ca", .issuer = "other-ca"});
    certificates_.Make({.name = "expired", .issuer = "ca", .validity = {-3, -1}});
    certificates_.Make({.name = "early", .issuer = "ca", .validity = {1, 3}});
    WriteConfig();
    Exporter::Settings settings;
    settings.arguments = {"--web.config.file=" + Path("web.yml")};
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  std::string Path(const std::string& name) const {
    return certificates_.directory().path() + "/" + name;
  }

  /// `more` are lines of tls_server_config.
  void WriteConfig(const std::vector<std::string>& more = {},
                   const std::string& server = "server") const {
    std::string text =
        "tls_server_config:\n  cert_file: " + server + ".crt\n  key_file: " + server + ".key\n";
    for (const std::string& line : more) {
      text += "  " + line + "\n";
    }
    ReplaceFile(Path("web.yml"), text);
  }

  /// The same, asked for by a signal: what asks less of clients holds at once then.
  void ReloadWith(const std::vector<std::string>& more) const {
    const auto reloads = [this] {
      const std::string log = exporter_->Log();
      int count = 0;
      for (std::size_t at = 0; (at = log.find("\"config reloaded\"", at)) != log.npos; ++at) {
        ++count;
      }
      return count;
    };
    const int before = reloads();
    WriteConfig(more);
    kill(exporter_->pid(), SIGHUP);
    ASSERT_TRUE(WaitUntil([&] { return reloads() > before; })) << exporter_->Log();
  }

  std::string Url(const std::string& path = "/healthz") const {
    return "https://127.0.0.1:" + std::to_string(exporter_->port()) + path;
  }

  /// GET with the client's certificate of that name, or with none.
  CurlReply Get(const std::string& client = "", const std::string& path = "/healthz",
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--cacert", Path("ca.crt")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    if (!client.empty()) {
      arguments.insert(arguments.end(),
                       {"--cert", Path(client + ".crt"), "--key", Path(client + ".key")});
    }
    arguments.push_back(Url(path));
    return Curl(arguments);
  }

  Certificates certificates_;
  std::unique_ptr<Exporter> exporter_;
};

TEST_F(Tls, PagesAreServedByTlsAlone) {
  const CurlReply reply = Get("", "/metrics");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("sched_exporter_build_info"));
  const auto plain = HttpSendRaw(exporter_->port(), RequestText("GET", "/metrics"));
  EXPECT_THAT(plain.value_or(""), Not(HasSubstr("sched_exporter_build_info")));
  EXPECT_THAT(exporter_->Log(), HasSubstr(" by TLS\""));
}

// min_version, max_version: which versions a client may have.
TEST_F(Tls, VersionsOutsideTheRangeAreRefused) {
  struct Case {
    std::vector<std::string> config;
    std::string accepted;
  };
  const std::vector<Case> cases = {
      {{}, "1.2 1.3 "},
      {{"min_version: TLS10"}, "1.0 1.1 1.2 1.3 "},
      {{"min_version: TLS11"}, "1.1 1.2 1.3 "},
      {{"min_version: TLS13"}, "1.3 "},
      {{"max_version: TLS12"}, "1.2 "},
      {{"min_version: TLS10", "max_version: TLS11"}, "1.0 1.1 "},
      {{"cipher_suites: [TLS_AES_128_GCM_SHA256]"}, "1.3 "},
  };
  const std::array<std::pair<const char*, const char*>, 4> versions{
      {{"1.0", "-tls1"}, {"1.1", "-tls1_1"}, {"1.2", "-tls1_2"}, {"1.3", "-tls1_3"}}};
  for (const Case& expected : cases) {
    WriteConfig(expected.config);
    std::string accepted;
    for (const auto& [version, flag] : versions) {
      const Ended ended =
          OpenSslClient(exporter_->port(), {flag, "-cipher", "DEFAULT:@SECLEVEL=0"});
      accepted += ended.exit_code == 0 ? std::string(version) + " " : "";
    }
    EXPECT_EQ(accepted, expected.accepted) << ::testing::PrintToString(expected.config);
  }
}

TEST_F(Tls, CipherSuitesAndCurvesAreThoseOfTheConfig) {
  const auto agreed = [this](const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"-tls1_2"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return OpenSslClient(exporter_->port(), all).output;
  };
  const std::string strong = "ECDHE-ECDSA-AES256-GCM-SHA384";
  const std::string fast = "ECDHE-ECDSA-AES128-GCM-SHA256";
  WriteConfig(
      {"cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
       "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
       "curve_preferences: [CurveP384]"});
  EXPECT_THAT(agreed({"-cipher", fast + ":" + strong}), HasSubstr("Cipher is " + strong));
  EXPECT_THAT(agreed({"-cipher", fast}), HasSubstr("Cipher is " + fast));
  EXPECT_THAT(agreed({"-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"}), HasSubstr("(NONE)"));
  EXPECT_THAT(agreed({}), HasSubstr("ECDH, secp384r1"));
  EXPECT_THAT(agreed({"-groups", "P-256"}), HasSubstr("(NONE)"));
  WriteConfig(
      {"cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "
       "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
       "prefer_server_cipher_suites: false"});
  EXPECT_THAT(agreed({"-cipher", fast + ":" + strong}), HasSubstr("Cipher is " + fast));
}

/// Asks with no certificate and with one of each kind; who was answered.
TEST_F(Tls, ClientsAreAskedForCertificatesByPolicy) {
  const std::string ca = "client_ca_file: ca.crt";
  const std::map<std::string, std::string> expected = {
      {"NoClientCert", "none good wrong-ca expired early "},
      {"RequestClientCert", "none good wrong-ca expired early "},
      {"RequireAnyClientCert", "good wrong-ca expired early "},
      {"VerifyClientCertIfGiven", "none good "},
      {"RequireAndVerifyClientCert", "good "},
  };
  for (const auto& [policy, answered] : expected) {
    ReloadWith(policy == "NoClientCert"
                   ? std::vector<std::string>{"client_auth_type: " + policy}
                   : std::vector<std::string>{"client_auth_type: " + policy, ca});
    for (const char* version : {"1.2", "1.3"}) {
      std::string got;
      for (const char* client : {"none", "good", "wrong-ca", "expired", "early"}) {
        const std::string name = client;
        const CurlReply reply =
            Get(name == "none" ? "" : name, "/healthz", {"--tlsv1.2", "--tls-max", version});
        got += reply.status == 200 ? name + " " : "";
        EXPECT_EQ(reply.status == 200, reply.exit_code == 0) << policy << " " << name;
      }
      EXPECT_EQ(got, answered) << policy << ", TLS " << version;
    }
  }
}

TEST_F(Tls, ClientsAreToldApartByTheirNames) {
  certificates_.Make({.name = "nameless", .issuer = "ca", .alternative_names = ""});
  certificates_.Make({.name = "other-kinds",
                      .issuer = "ca",
                      .alternative_names = "IP:10.1.2.3,email:p@example.org,URI:spiffe://a/b"});
  const auto allows = [this](const std::string& names, const std::string& client) {
    WriteConfig({"client_auth_type: RequireAndVerifyClientCert", "client_ca_file: ca.crt",
                 "client_allowed_sans: [" + names + "]"});
    return Get(client).status == 200;
  };
  EXPECT_TRUE(allows("'x', prom.example", "good"));
  EXPECT_FALSE(allows("example, PROM.example, prom.example.org", "good"));
  EXPECT_FALSE(allows("prom.example", "nameless"));
  EXPECT_FALSE(allows("nameless", "nameless"));  // the subject is no alternative name
  EXPECT_TRUE(allows("10.1.2.3", "other-kinds"));
  EXPECT_TRUE(allows("p@example.org", "other-kinds"));
  EXPECT_TRUE(allows("'spiffe://a/b'", "other-kinds"));
  EXPECT_FALSE(allows("10.1.2.30", "other-kinds"));
  EXPECT_FALSE(allows("prom.example, localhost", "wrong-ca"));
}

// Whether its own certificate is still good is for clients to judge.
TEST_F(Tls, AnExpiredServerCertificateIsServed) {
  WriteConfig({}, "expired-server");
  EXPECT_EQ(ServedName(exporter_->port()), "expired-server");
  const CurlReply strict = Get();
  EXPECT_EQ(strict.status, 0);
  EXPECT_EQ(strict.exit_code, 60);  // CURLE_PEER_FAILED_VERIFICATION
  EXPECT_EQ(Get("", "/healthz", {"--insecure"}).status, 200);
}

TEST_F(Tls, WhatWasAgreedWithOneConfigIsNotResumedWithAnother) {
  const std::string session = Path("session");
  OpenSslClient(exporter_->port(), {"-tls1_2", "-sess_out", session});
  WriteConfig({"client_auth_type: RequireAndVerifyClientCert", "client_ca_file: ca.crt"});
  const Ended ended = OpenSslClient(exporter_->port(), {"-tls1_2", "-sess_in", session});
  EXPECT_THAT(ended.output, Not(HasSubstr("Reused, ")));
  EXPECT_EQ(ended.exit_code, 1);
}

/// A real Prometheus: whether it scrapes with these keys, or its reason why not.
std::string Scraped(const Exporter& exporter, const std::vector<std::string>& keys) {
  const auto server = PrometheusServer::Start(exporter.port(), keys);
  EXPECT_TRUE(server) << server.error().message;
  std::string health = "unknown";
  WaitUntil([&] {
    health = (*server)->TargetHealth().value_or("unknown");
    // A second is all that the server waits, and this machine may be busy.
    return health != "unknown" && health.find("deadline exceeded") == std::string::npos;
  });
  return health;
}

TEST_F(Tls, PrometheusScrapesWithPasswordAndClientCertificate) {
  ReplaceFile(Path("web.yml"),
              "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
              "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"
              "basic_auth_users: {prometheus: " +
                  BcryptHash("s3cret", 10) + "}\n");
  const std::string tls = "tls_config: {ca_file: " + Path("ca.crt");
  const std::string client =
      ", cert_file: " + Path("good.crt") + ", key_file: " + Path("good.key") + "}";
  const std::string password = "basic_auth: {username: prometheus, password: s3cret}";
  EXPECT_EQ(Scraped(*exporter_, {"scheme: https", tls + client, password}), "up");
  EXPECT_THAT(Scraped(*exporter_, {"scheme: https", tls + client}), HasSubstr("401"));
  // By TLS 1.3 the client has sent its request, or not yet all of it, when it is told.
  EXPECT_THAT(
      Scraped(*exporter_, {"scheme: https", tls + "}", password}),
      AnyOf(HasSubstr("certificate"), HasSubstr("broken pipe"), HasSubstr("reset by peer")));
  EXPECT_THAT(Scraped(*exporter_, {"scheme: https", password}), HasSubstr("unknown authority"));
}

// Debian's civetweb looks for "libssl.so", which comes with libssl-dev. Without that:
TEST_F(Tls, WorksWithoutDevelopmentPackages) {
  Exporter::Settings settings;
  settings.arguments = {"--web.config.file=" + Path("web.yml")};
  settings.prefix = {"unshare",
                     "-m",
                     "sh",
                     "-ec",
                     "lib=$(dirname \"$(readlink -f /usr/lib/*/libssl.so.3)\")\n"
                     "mount -t tmpfs none /mnt\n"
                     "mkdir /mnt/upper /mnt/work\n"
                     "mount -t overlay none -o lowerdir=$lib,upperdir=/mnt/upper,"
                     "workdir=/mnt/work $lib\n"
                     "rm -f $lib/libssl.so $lib/libcrypto.so\n"
                     "[ ! -e $lib/libssl.so ]\n"
                     "exec \"$@\"",
                     "sh"};
  auto started = Exporter::Start(settings);
  ASSERT_TRUE(started) << started.error().message;
  exporter_ = std::move(*started);
  EXPECT_EQ(Get().status, 200);
}

TEST_F(Tls, CommandsSpeakItToo) {
  const auto top_series = [](std::vector<std::string> before, std::vector<std::string> after) {
    before.insert(before.begin(), ExporterBinary());
    before.emplace_back("top-series");
    before.insert(before.end(), after.begin(), after.end());
    return RunProgram(before);
  };
  const std::string here = "--web.listen-address=127.0.0.1:" + std::to_string(exporter_->port());
  const std::string web = "--web.config.file=" + Path("web.yml");
  // The one that runs here, whose certificate it finds in the same file.
  EXPECT_THAT(top_series({here, web}, {}).output, HasSubstr("families: "));
  WriteConfig({}, "expired-server");
  EXPECT_THAT(top_series({here, web}, {}).output, HasSubstr("families: "));
  WriteConfig();
  const std::string url = Url("/metrics");
  EXPECT_THAT(top_series({}, {url}).output, HasSubstr("certificate is not trusted"));
  EXPECT_THAT(top_series({}, {url, "--insecure-skip-verify"}).output, HasSubstr("families: "));
  EXPECT_THAT(top_series({}, {url, "--ca-file", Path("ca.crt")}).output, HasSubstr("families: "));
  EXPECT_THAT(top_series({}, {url, "--ca-file", Path("other-ca.crt")}).output,
              HasSubstr("certificate is not trusted"));
  EXPECT_EQ(top_series({}, {url, "--ca-file", Path("none")}).exit_code, 2);
}

}  // namespace
}  // namespace sched_exporter::test_support
