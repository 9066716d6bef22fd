#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sched_exporter {

/// What a TLS server asks of its clients, by Go's names of crypto/tls.
enum class ClientAuth {
  kNone,              ///< NoClientCert: no certificate is asked for.
  kRequest,           ///< RequestClientCert: one is asked for and not looked at.
  kRequireAny,        ///< RequireAnyClientCert: there must be one, whoever signed it.
  kVerifyIfGiven,     ///< VerifyClientCertIfGiven: none, or one that the CA signed.
  kRequireAndVerify,  ///< RequireAndVerifyClientCert: one that the CA signed.
};

/// Versions of TLS, in their order.
enum class TlsVersion { kTls10, kTls11, kTls12, kTls13 };

/// How a server speaks TLS. Texts are as they were read: PEM.
struct TlsSettings {
  std::string certificate_pem;  ///< The server's own first, then those up to the root.
  std::string key_pem;
  std::string client_ca_pem;  ///< Who may sign certificates of clients; empty: nobody.
  ClientAuth client_auth = ClientAuth::kNone;
  std::vector<std::string> client_allowed_sans;  ///< Empty: all.
  TlsVersion min_version = TlsVersion::kTls12;
  TlsVersion max_version = TlsVersion::kTls13;
  std::vector<std::string> cipher_suites;  ///< OpenSSL's names, for TLS 1.2 and below.
  std::vector<std::string> curves;         ///< OpenSSL's names; empty: the defaults.
  bool prefers_own_ciphers = true;
};

/// At most one request each `interval` in the long run, `burst` of them at once.
struct RequestRate {
  std::chrono::milliseconds interval{0};
  std::uint32_t burst = 0;
};

/// Who may see the pages, and how they are served.
struct WebSettings {
  std::optional<TlsSettings> tls;
  std::map<std::string, std::string> users;  ///< Bcrypt hashes by name; empty: everybody.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Of every answer.
  std::optional<RequestRate> rate;
};

}  // namespace sched_exporter
