#include "exporter/config/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "exporter/http/tls_context.h"
#include "tests/support/certificates.h"
#include "tests/support/temp_directory.h"

namespace sched_exporter {
namespace {

using test_support::BcryptHash;
using test_support::Certificates;
using test_support::TempDirectory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const PemChecks& Checks() {
  static const PemChecks checks{&CheckCertificates, &CheckKeyPair};
  return checks;
}

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

WebConfigReading Parse(const std::string& text) { return ParseWebConfig(text, "w.yml", Checks()); }

std::string ErrorOf(const WebConfigReading& reading) {
  return reading.settings ? "" : reading.settings.error().message;
}

std::vector<std::filesystem::path> InvalidFiles() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry :
       std::filesystem::directory_iterator(SOURCE_DIR "/tests/invalid_web_config")) {
    if (entry.path().extension() == ".yml") {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

class InvalidWebConfig : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(InvalidWebConfig, IsRefusedWithItsLiteralError) {
  std::filesystem::path expected = GetParam();
  expected.replace_extension(".error");
  const auto reading =
      ParseWebConfig(ReadAll(GetParam()), GetParam().filename().string(), Checks());
  EXPECT_EQ(ErrorOf(reading) + "\n", ReadAll(expected));
}

INSTANTIATE_TEST_SUITE_P(Files, InvalidWebConfig, testing::ValuesIn(InvalidFiles()),
                         [](const auto& file) { return file.param.stem().string(); });

TEST(WebConfig, AnEmptyFileServesEverybody) {
  for (const char* text : {"", "# nothing\n", "tls_server_config:\nbasic_auth_users:\n",
                           "tls_server_config: {}\nrate_limit: {interval: 0, burst: 5}\n"}) {
    const auto reading = Parse(text);
    ASSERT_TRUE(reading.settings) << reading.settings.error().message;
    EXPECT_FALSE(reading.settings->tls);
    EXPECT_FALSE(reading.settings->rate);
    EXPECT_THAT(reading.settings->users, IsEmpty());
    EXPECT_THAT(reading.files, ElementsAre("w.yml"));
  }
}

TEST(WebConfig, TlsIsAsGoHasItWhereTheFileIsSilent) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  const std::string file = certificates.directory().Write(
      "web.yml", "tls_server_config: {cert_file: server.crt, key_file: server.key}\n");
  const auto reading = LoadWebConfig(file, Checks());
  ASSERT_TRUE(reading.settings) << reading.settings.error().message;
  ASSERT_TRUE(reading.settings->tls);
  const TlsSettings& tls = *reading.settings->tls;
  EXPECT_EQ(tls.certificate_pem, ReadAll(certificates.Certificate("server")));
  EXPECT_EQ(tls.key_pem, ReadAll(certificates.Key("server")));
  EXPECT_EQ(tls.client_auth, ClientAuth::kNone);
  EXPECT_EQ(tls.min_version, TlsVersion::kTls12);
  EXPECT_EQ(tls.max_version, TlsVersion::kTls13);
  EXPECT_TRUE(tls.prefers_own_ciphers);
  EXPECT_THAT(tls.cipher_suites, IsEmpty());
  EXPECT_THAT(tls.curves, IsEmpty());
  EXPECT_THAT(reading.files,
              ElementsAre(file, certificates.Certificate("server"), certificates.Key("server")));
  EXPECT_THAT(reading.warnings, IsEmpty());
}

TEST(WebConfig, EveryKeyArrives) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  certificates.Make({.name = "ca", .is_ca = true});
  const std::string hash = BcryptHash("x", 5, "$2b$");
  const std::string file = certificates.directory().Write(
      "web.yml",
      "tls_server_config:\n"
      "  cert_file: " +
          certificates.Certificate("server") +
          "\n"
          "  key_file: ./server.key\n"
          "  client_ca_file: ca.crt\n"
          "  client_auth_type: RequireAndVerifyClientCert\n"
          "  client_allowed_sans: [a.example, 10.0.0.1]\n"
          "  min_version: TLS10\n"
          "  max_version: TLS12\n"
          "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256,\n"
          "                  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]\n"
          "  curve_preferences: [X25519, CurveP384]\n"
          "  prefer_server_cipher_suites: false\n"
          "http_server_config:\n"
          "  http2: false\n"
          "  headers: {X-Frame-Options: sameorigin, X-XSS-Protection: '1', "
          "Content-Security-Policy: ''}\n"
          "basic_auth_users: {alice: " +
          hash +
          "}\n"
          "rate_limit: {interval: 1m30s, burst: 20}\n");
  const auto reading = LoadWebConfig(file, Checks());
  ASSERT_TRUE(reading.settings) << reading.settings.error().message;
  const WebSettings& web = *reading.settings;
  ASSERT_TRUE(web.tls);
  EXPECT_EQ(web.tls->client_ca_pem, ReadAll(certificates.Certificate("ca")));
  EXPECT_EQ(web.tls->client_auth, ClientAuth::kRequireAndVerify);
  EXPECT_THAT(web.tls->client_allowed_sans, ElementsAre("a.example", "10.0.0.1"));
  EXPECT_EQ(web.tls->min_version, TlsVersion::kTls10);
  EXPECT_EQ(web.tls->max_version, TlsVersion::kTls12);
  EXPECT_THAT(web.tls->cipher_suites,
              ElementsAre("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-SHA"));
  EXPECT_THAT(web.tls->curves, ElementsAre("X25519", "P-384"));
  EXPECT_FALSE(web.tls->prefers_own_ciphers);
  EXPECT_THAT(web.headers,
              ElementsAre(Pair("X-Frame-Options", "sameorigin"), Pair("X-XSS-Protection", "1")));
  EXPECT_THAT(web.users, ElementsAre(Pair("alice", hash)));
  ASSERT_TRUE(web.rate);
  EXPECT_EQ(web.rate->interval, std::chrono::seconds(90));
  EXPECT_EQ(web.rate->burst, 20U);
  EXPECT_TRUE(TlsContext::Make(*web.tls));
}

TEST(WebConfig, EveryCipherSuiteIsKnownToOpenSsl) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  const std::string valid = ErrorOf(Parse("tls_server_config: {cipher_suites: [x]}"));
  const std::string mark = "expected one of ";
  std::string names = valid.substr(valid.find(mark) + mark.size());
  names = names.substr(0, names.find(", got"));
  const std::string file = certificates.directory().Write(
      "web.yml",
      "tls_server_config: {cert_file: server.crt, key_file: server.key, "
      "cipher_suites: [" +
          names + "]}\n");
  const auto reading = LoadWebConfig(file, Checks());
  ASSERT_TRUE(reading.settings) << reading.settings.error().message;
  EXPECT_EQ(reading.settings->tls->cipher_suites.size(), 14U);
  for (const std::string& suite : reading.settings->tls->cipher_suites) {
    TlsSettings one = *reading.settings->tls;
    one.cipher_suites = {suite};
    EXPECT_TRUE(TlsContext::Make(one)) << suite;
  }
}

TEST(WebConfig, AKeyOfAnotherCertificateIsRefusedAtItsPlace) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  certificates.Make({.name = "other"});
  const std::string file = certificates.directory().Write(
      "web.yml", "tls_server_config:\n  cert_file: server.crt\n  key_file: other.key\n");
  const auto reading = LoadWebConfig(file, Checks());
  EXPECT_EQ(ErrorOf(reading),
            file + ":3:13: tls_server_config.key_file: the key is not that of the certificate");
  // Whoever waits for better files has to know which.
  EXPECT_THAT(reading.files,
              ElementsAre(file, certificates.Certificate("server"), certificates.Key("other")));
}

TEST(WebConfig, AKeyInTheConfigThatEverybodyMayReadIsWarnedOf) {
  const test_support::TempDirectory directory;
  const std::string file =
      directory.Write("web.yml", "tls_server_config: {cert: none, key: none}\n");
  ::chmod(file.c_str(), 0644);
  EXPECT_THAT(LoadWebConfig(file, Checks()).warnings,
              ElementsAre("everybody may read the web config file " + file +
                          ", which has a private key; chmod o-r"));
  ::chmod(file.c_str(), 0640);
  EXPECT_THAT(LoadWebConfig(file, Checks()).warnings, IsEmpty());
}

TEST(WebConfig, AFileThatIsTooLargeIsNotCut) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  const std::string many =
      ReadAll(certificates.Certificate("server")) + std::string(kMaxWebConfigBytes, '\n');
  certificates.directory().Write("many.crt", many);
  const std::string file = certificates.directory().Write(
      "web.yml", "tls_server_config: {cert_file: many.crt, key_file: server.key}\n");
  EXPECT_EQ(ErrorOf(LoadWebConfig(file, Checks())),
            file +
                ":1:32: tls_server_config.cert_file: expected a file of at most 1048576 bytes, "
                "got more");
}

TEST(WebConfig, SecretsThatEverybodyMayReadAreWarnedOf) {
  Certificates certificates;
  certificates.Make({.name = "server"});
  ::chmod(certificates.Key("server").c_str(), 0644);
  const std::string file = certificates.directory().Write(
      "web.yml",
      "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
      "basic_auth_users: {alice: " +
          BcryptHash("x") + "}\n");
  ::chmod(file.c_str(), 0644);
  const auto reading = LoadWebConfig(file, Checks());
  EXPECT_THAT(reading.warnings, ElementsAre("everybody may read the key " +
                                                certificates.Key("server") + "; chmod o-r",
                                            "everybody may read the web config file " + file +
                                                ", which has hashes of passwords; chmod o-r"));
}

TEST(WebConfig, NoFindingEchoesASecret) {
  for (const char* text :
       {"basic_auth_users: {me: hunter2}",
        "basic_auth_users: hunter2",
        "basic_auth_users: [hunter2]",
        "tls_server_config: {cert: x, key: hunter2}",
        "tls_server_config: {cert: x, key: [hunter2]}",
        "tls_server_config: {cert: x, key_file: '-----BEGIN PRIVATE KEY-----hunter2'}",
        "tls_server_config: {cert: x, key_file: \"a\\nhunter2\"}",
        "tls_server_config: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n",
        "tls_server_config: {curve_preferences: hunter2}",
        "tls_server_config: {client_auth_type: hunter2}",
        "http_server_config: alice:hunter2",
        "http_server_config: {headers: {X-Frame-Options: hunter2}}",
        "rate_limit: {burst: hunter2}",
        "basic_auth_users:\n  alice:hunter2\n",
        "basic_auth_users:\n  a: b\n  alice:hunter2\n",
        "basic_auth_users: {$2y$hunter2: alice}",
        "basic_auth_users: {me: !hunter2 x}",
        "basic_auth_users: {me: *hunter2}",
        "basic_auth_users: {me: &hunter2 x}",
        "alice:hunter2",
        "rate_limit:\nhunter2",
        "rate_limit:\n--- hunter2"}) {
    const std::string error = ErrorOf(Parse(text));
    EXPECT_NE(error, "") << text;
    EXPECT_THAT(error, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace sched_exporter
