// The web config file while the exporter runs: rotation, mistakes, and what a change of it changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/exporter.h"
#include "tests/support/free_port.h"
#include "tests/support/http_client.h"
#include "tests/support/tls_peers.h"
#include "tests/support/wait_until.h"

namespace sched_exporter::test_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSuccessful[] = "sched_exporter_config_last_reload_successful";
constexpr char kNotReloaded[] = "web config not reloaded, the old one holds: ";

int Occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

class WebConfigFile : public ::testing::Test {
 protected:
  void Start(const std::string& config, const std::vector<std::string>& more = {}) {
    Write(config);
    Exporter::Settings settings;
    settings.arguments = {"--web.config.file=" + file_};
    settings.arguments.insert(settings.arguments.end(), more.begin(), more.end());
    auto started = Exporter::Start(settings);
    ASSERT_TRUE(started) << started.error().message;
    exporter_ = std::move(*started);
  }

  void Write(const std::string& config) const { ReplaceFile(file_, config); }

  CurlReply Get(const std::string& path = "/metrics",
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = more;
    arguments.push_back("http://127.0.0.1:" + std::to_string(exporter_->port()) + path);
    return Curl(arguments);
  }

  CurlReply GetByTls(const std::string& path = "/metrics") const {
    return Curl({"--cacert", certificates_.Certificate("ca"),
                 "https://127.0.0.1:" + std::to_string(exporter_->port()) + path});
  }

  double ReloadSuccessful(const std::string& text) const {
    const auto metrics = MetricsText::Parse(text);
    return metrics ? metrics->Sum(kSuccessful) : -1;
  }

  Certificates certificates_;
  const std::string file_ = certificates_.directory().path() + "/web.yml";
  std::unique_ptr<Exporter> exporter_;
};

/// A secret as the kubelet lays it out: the files are links through "..data", and a rotation is one
/// rename(2) of that.
class Secret {
 public:
  explicit Secret(std::string directory) : directory_(std::move(directory)) {
    fs::create_directory(directory_);
    for (const char* name : {"tls.crt", "tls.key"}) {
      fs::create_symlink(std::string("..data/") + name, directory_ + "/" + name);
    }
  }

  void Rotate(const std::string& certificate, const std::string& key) {
    const std::string version = "..version" + std::to_string(++version_);
    fs::create_directory(directory_ + "/" + version);
    fs::copy_file(certificate, directory_ + "/" + version + "/tls.crt");
    fs::copy_file(key, directory_ + "/" + version + "/tls.key");
    fs::create_symlink(version, directory_ + "/..data_tmp");
    fs::rename(directory_ + "/..data_tmp", directory_ + "/..data");
    fs::remove_all(directory_ + "/..version" + std::to_string(version_ - 1));
  }

  std::string ServerConfig() const {
    return "tls_server_config: {cert_file: " + directory_ + "/tls.crt, key_file: " + directory_ +
           "/tls.key}\n";
  }

 private:
  std::string directory_;
  int version_ = 0;
};

class Rotation : public WebConfigFile {
 protected:
  void SetUp() override {
    certificates_.Make({.name = "ca", .is_ca = true});
    for (const char* name : {"first", "second", "third"}) {
      certificates_.Make({.name = name, .issuer = "ca"});
    }
    Rotate("first", "first");
    Start(secret_.ServerConfig());
  }

  void Rotate(const std::string& certificate, const std::string& key) {
    secret_.Rotate(certificates_.Certificate(certificate), certificates_.Key(key));
  }

  Secret secret_{certificates_.directory().path() + "/secret"};
};

TEST_F(Rotation, IsServedAtTheNextHandshakeAndNoScrapeFails) {
  std::atomic<bool> done = false;
  std::atomic<int> good = 0;
  std::atomic<int> bad = 0;
  std::vector<std::jthread> scrapers;
  for (int i = 0; i < 4; ++i) {
    scrapers.emplace_back([&] {
      while (!done) {
        ++(GetByTls().status == 200 ? good : bad);
      }
    });
  }
  for (int round = 0; round < 10; ++round) {
    const std::string name = round % 2 == 0 ? "second" : "third";
    Rotate(name, name);
    // Beside a scraper whose handshake is reading the files, one more has the old state.
    EXPECT_TRUE(WaitUntil([&] { return ServedName(exporter_->port()) == name; })) << name;
    const int before = good;
    EXPECT_TRUE(WaitUntil([&] { return good > before + 4; }));
  }
  done = true;
  scrapers.clear();
  EXPECT_EQ(bad, 0);
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr(kNotReloaded)));
}

TEST_F(Rotation, ABrokenOneKeepsTheOldAndIsToldOnce) {
  EXPECT_EQ(ReloadSuccessful(GetByTls().body), 1);
  Rotate("second", "third");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(ServedName(exporter_->port()), "first");
  }
  EXPECT_EQ(ReloadSuccessful(GetByTls().body), 0);
  EXPECT_EQ(Occurrences(exporter_->Log(), kNotReloaded), 1) << exporter_->Log();
  EXPECT_THAT(exporter_->Log(), HasSubstr("the key is not that of the certificate"));
  Rotate("second", "second");
  EXPECT_EQ(ServedName(exporter_->port()), "second");
  EXPECT_EQ(ReloadSuccessful(GetByTls().body), 1);
}

TEST_F(Rotation, AKeyThatEverybodyMayReadIsWarnedOf) {
  EXPECT_THAT(exporter_->Log(), Not(HasSubstr("everybody may read")));
  ::chmod(certificates_.Key("second").c_str(), 0644);
  Rotate("second", "second");
  EXPECT_EQ(ServedName(exporter_->port()), "second");
  EXPECT_THAT(exporter_->Log(), HasSubstr("level=warn msg=\"everybody may read the key "));
}

TEST_F(Rotation, TurningTlsOffWaitsForARestart) {
  Write("http_server_config: {headers: {X-Frame-Options: deny}}\n");
  const CurlReply reply = GetByTls("/healthz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.headers, HasSubstr("X-Frame-Options: deny"));
  EXPECT_THAT(exporter_->Log(), HasSubstr("turning TLS off needs a restart"));
}

TEST_F(WebConfigFile, UsersAndHeadersHoldFromTheNextRequest) {
  Start("");
  EXPECT_EQ(Get().status, 200);
  Write("basic_auth_users: {alice: " + BcryptHash("a") + "}\n");
  EXPECT_EQ(Get().status, 401);
  EXPECT_EQ(Get("/metrics", {"--user", "alice:a"}).status, 200);
  Write("basic_auth_users: {alice: " + BcryptHash("b") + "}\n");
  EXPECT_EQ(Get("/metrics", {"--user", "alice:a"}).status, 401);
  EXPECT_EQ(Get("/metrics", {"--user", "alice:b"}).status, 200);
  Write(
      "http_server_config:\n  headers:\n    Content-Security-Policy: default-src 'self'\n"
      "    Strict-Transport-Security: max-age=1\n    X-Content-Type-Options: nosniff\n");
  EXPECT_TRUE(WaitUntil([&] { return Get().status == 200; }));  // once the file has rested
  for (const char* path : {"/", "/metrics", "/no-such-page"}) {
    const std::string headers = Get(path).headers;
    EXPECT_EQ(Occurrences(headers, "Content-Security-Policy: default-src 'self'"), 1) << path;
    EXPECT_EQ(Occurrences(headers, "Content-Security-Policy"), 1) << path;
    EXPECT_EQ(Occurrences(headers, "X-Content-Type-Options: nosniff"), 1) << path;
    EXPECT_EQ(Occurrences(headers, "Strict-Transport-Security: max-age=1"), 1) << path;
  }
  const auto malformed = HttpSendRaw(exporter_->port(), "nonsense\r\n\r\n");
  EXPECT_THAT(malformed.value_or(""), HasSubstr("Strict-Transport-Security: max-age=1"));
}

TEST_F(WebConfigFile, AMistakeKeepsTheOldUntilItIsMended) {
  Start("basic_auth_users: {alice: " + BcryptHash("a") + "}\n");
  Write("basic_auth_users: {alice: a}\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("/metrics", {"--user", "alice:a"}).status, 200);
    EXPECT_EQ(Get().status, 401);
  }
  EXPECT_EQ(Occurrences(exporter_->Log(), kNotReloaded), 1) << exporter_->Log();
  fs::remove(file_);
  EXPECT_EQ(Get().status, 401);
  EXPECT_THAT(exporter_->Log(), HasSubstr("cannot open web config file"));
  Write("basic_auth_users: {}\n");
  EXPECT_TRUE(WaitUntil([&] { return Get().status == 200; }));
}

// Who writes a file in place leaves it empty first, or half of it on a full disk.
TEST_F(WebConfigFile, OneThatIsNotWrittenWholeOpensNothing) {
  const std::string users = "basic_auth_users:\n  alice: " + BcryptHash("a") + "\n";
  Start(users, {"--web.enable-lifecycle"});
  for (const char* cut : {"", "# users of the exporter\n", "basic_auth_users:\n",
                          "rate_limit: {interval: 0}\nbasic_auth_users: null\n"}) {
    Write(cut);
    EXPECT_EQ(Get().status, 401) << cut;
    const CurlReply reload = Get("/-/reload", {"--request", "POST", "--user", "alice:a"});
    EXPECT_EQ(reload.status, 500) << cut;
    EXPECT_THAT(reload.body, HasSubstr("expected basic_auth_users, got none")) << cut;
    EXPECT_EQ(Get().status, 401) << cut;
  }
  // Cut between two keys, or meant: nobody can tell at once.
  Write("rate_limit: {interval: 0}\n");
  EXPECT_EQ(Get().status, 401);
  Write("rate_limit: {interval: 0}\n" + users);
  EXPECT_EQ(Get().status, 401);
  EXPECT_EQ(Get("/metrics", {"--user", "alice:a"}).status, 200);
  // One who asks for it means it.
  Write("basic_auth_users: {}\n");
  EXPECT_EQ(Get("/-/reload", {"--request", "POST", "--user", "alice:a"}).status, 200);
  EXPECT_EQ(Get().status, 200);
}

TEST_F(WebConfigFile, IsReadBySighupAndReloadOverHttp) {
  Start("", {"--web.enable-lifecycle"});
  Write("basic_auth_users: {}\nnonsense: 1\n");
  kill(exporter_->pid(), SIGHUP);
  EXPECT_TRUE(WaitUntil([&] { return exporter_->Log().find(kNotReloaded) != std::string::npos; }));
  const CurlReply reply = Get("/-/reload", {"--request", "POST"});
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.body, HasSubstr("web.yml:2:1: expected a known key, got \"nonsense\""));
  EXPECT_EQ(ReloadSuccessful(Get().body), 0);
  Write("");
  EXPECT_EQ(Get("/-/reload", {"--request", "POST"}).status, 200);
  EXPECT_EQ(ReloadSuccessful(Get().body), 1);
}

TEST_F(WebConfigFile, RequestsAreLimitedAsItSays) {
  Start("rate_limit: {interval: 1h, burst: 3}\n");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Get("/healthz").status, 200);
  }
  const CurlReply reply = Get("/healthz");
  EXPECT_EQ(reply.status, 429);
  EXPECT_THAT(reply.headers, HasSubstr("Retry-After: 3"));
  Write("rate_limit: {interval: 0}\n");
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(WebConfigFile, IsCheckedBeforeAnythingElse) {
  const std::string flag = "--web.config.file=" + file_;
  Write("tls_server_config: {cert_file: none.crt}\nbasic_auth_users: {me: secret}\n");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--config.check"},
        std::vector<std::string>{"--allow-second-instance", "--web.listen-address=127.0.0.1:0"}}) {
    std::vector<std::string> argv = {ExporterBinary(), flag};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    const Ended ended = RunProgram(argv);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_EQ(ended.output,
              "sched_exporter: " + file_ +
                  ":1:21: tls_server_config: expected key_file or key, got none\n" + file_ +
                  ":1:32: tls_server_config.cert_file: cannot open file " +
                  certificates_.directory().path() + "/none.crt: No such file or directory\n" +
                  file_ +
                  ":2:20: basic_auth_users.me: expected a bcrypt hash ($2a$, $2b$ or $2y$, 60 "
                  "characters), got something else; htpasswd -nBC 10 \"\" makes one\n");
  }
  Write("");
  const Ended good = RunProgram({ExporterBinary(), flag, "--config.check"});
  EXPECT_EQ(good.output, "config is good\n");
  EXPECT_EQ(good.exit_code, 0);
}

TEST(ListenAddresses, MayBeSeveral) {
  const std::string second = std::to_string(FreePort());
  Exporter::Settings settings;
  settings.arguments = {"--web.listen-address=127.0.0.2:" + second};
  const auto exporter = Exporter::Start(settings);
  ASSERT_TRUE(exporter) << exporter.error().message;
  for (const std::string& at :
       {"127.0.0.1:" + std::to_string((*exporter)->port()), "127.0.0.2:" + second}) {
    EXPECT_EQ(Curl({"http://" + at + "/healthz"}).status, 200) << at;
  }
  EXPECT_EQ((*exporter)->End(SIGTERM).exit_code, 0);
}

TEST(ListenAddresses, OneThatIsTakenIsNamed) {
  const auto first = Exporter::Start();
  ASSERT_TRUE(first) << first.error().message;
  const std::string taken = "127.0.0.1:" + std::to_string((*first)->port());
  const Ended ended =
      RunProgram({ExporterBinary(), "--allow-second-instance", "--web.listen-address=127.0.0.1:0",
                  "--web.listen-address=" + taken});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_THAT(ended.output,
              HasSubstr("cannot listen on \"" + taken + "\": address already in use"));
}

}  // namespace
}  // namespace sched_exporter::test_support
