#include "exporter/http/tls_context.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "exporter/http/openssl.h"

namespace sched_exporter {
namespace {

/// Suites for TLS 1.2 and below, as Go offers them by itself; those of TLS 1.3 are fixed there,
/// too.
constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA";
constexpr const char* kDefaultCurves = "X25519:P-256:P-384:P-521";
/// 112 bits: RSA from 2,048, no SHA-1 in signatures of certificates.
constexpr int kSecurityLevel = 2;
/// TLS 1.1 and 1.0 sign handshakes with SHA-1, which OpenSSL allows at level 0 alone.
constexpr int kOldVersionsLevel = 0;

int OpenSslVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::kTls10:
      return TLS1_VERSION;
    case TlsVersion::kTls11:
      return TLS1_1_VERSION;
    case TlsVersion::kTls12:
      return TLS1_2_VERSION;
    case TlsVersion::kTls13:
      return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

std::string JoinedBy(char separator, const std::vector<std::string>& words) {
  std::string joined;
  for (const std::string& word : words) {
    joined += (joined.empty() ? "" : std::string(1, separator)) + word;
  }
  return joined;
}

int SecurityLevel(const TlsSettings& settings) {
  return settings.min_version < TlsVersion::kTls12 ? kOldVersionsLevel : kSecurityLevel;
}

int VerifyMode(ClientAuth auth) {
  switch (auth) {
    case ClientAuth::kNone:
      return SSL_VERIFY_NONE;
    case ClientAuth::kRequest:
    case ClientAuth::kVerifyIfGiven:
      return SSL_VERIFY_PEER;
    case ClientAuth::kRequireAny:
    case ClientAuth::kRequireAndVerify:
      return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

std::string TextOf(const ASN1_STRING* text) {
  const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(text));
  return {bytes, static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// An alternative name as Go's crypto/x509 writes it; empty for the other kinds.
std::string TextOf(const GENERAL_NAME& name) {
  if (name.type == GEN_DNS || name.type == GEN_EMAIL || name.type == GEN_URI) {
    return TextOf(name.d.ia5);
  }
  if (name.type != GEN_IPADD) {
    return {};
  }
  const std::string address = TextOf(name.d.iPAddress);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == sizeof(in6_addr)  ? AF_INET6
                     : address.size() == sizeof(in_addr) ? AF_INET
                                                         : AF_UNSPEC;
  return ::inet_ntop(family, address.data(), text.data(), text.size()) == nullptr ? std::string()
                                                                                  : text.data();
}

void DeleteSettings(void* /*context*/, void* settings, CRYPTO_EX_DATA* /*data*/, int /*index*/,
                    long /*argl*/, void* /*argp*/) {
  delete static_cast<TlsSettings*>(settings);
}

/// Where a context keeps its settings.
int SettingsIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &DeleteSettings);
  return index;
}

bool HasName(const X509* certificate, const std::vector<std::string>& allowed) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  bool found = false;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const std::string text = TextOf(*sk_GENERAL_NAME_value(names, i));
    found = found ||
            (!text.empty() && std::find(allowed.begin(), allowed.end(), text) != allowed.end());
  }
  GENERAL_NAMES_free(names);
  return found;
}

// Possession of the key is checked beside this, always (tls_process_cert_verify() of OpenSSL).
int VerifyClient(X509_STORE_CTX* store, void* of_context) {
  const TlsSettings& settings = *static_cast<const TlsSettings*>(of_context);
  const bool verifies = settings.client_auth == ClientAuth::kVerifyIfGiven ||
                        settings.client_auth == ClientAuth::kRequireAndVerify;
  if (verifies) {
    // Old versions of TLS are no reason for weak certificates.
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(store), kSecurityLevel);
    if (X509_verify_cert(store) <= 0) {
      return 0;
    }
  }
  if (!settings.client_allowed_sans.empty() &&
      !HasName(X509_STORE_CTX_get0_cert(store), settings.client_allowed_sans)) {
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

/// Clients that offer protocols get HTTP/1.1 where it is among them, as from Go without HTTP/2.
int ChooseProtocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* bytes,
                   const unsigned char* offered, unsigned offered_bytes, void* /*unused*/) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  const int agreed =
      SSL_select_next_proto(&found, bytes, kHttp11, sizeof kHttp11 - 1, offered, offered_bytes);
  *chosen = found;
  return agreed == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<void> UseKeyPair(SSL_CTX* context, const std::string& certificate_pem,
                        const std::string& key_pem) {
  const auto certificates = ReadCertificates(certificate_pem);
  if (!certificates) {
    return Fail("certificate: " + certificates.error().message);
  }
  const auto key = ReadKey(key_pem);
  if (!key) {
    return Fail("key: " + key.error().message);
  }
  if (X509_check_private_key(certificates->front().get(), key->get()) != 1) {
    ERR_clear_error();
    return Fail("the key is not that of the certificate");
  }
  STACK_OF(X509)* chain = sk_X509_new_null();
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    sk_X509_push(chain, (*certificates)[i].get());
  }
  const int used = SSL_CTX_use_cert_and_key(context, certificates->front().get(), key->get(), chain,
                                            /*override=*/1);
  sk_X509_free(chain);
  return used == 1 ? Result<void>()
                   : Fail("OpenSSL refuses certificate and key (" + OpenSslReason() + ")");
}

}  // namespace

Result<void> CheckCertificates(const std::string& pem) {
  return ReadCertificates(pem).map([](const auto& /*certificates*/) {});
}

Result<void> CheckKeyPair(const std::string& certificate_pem, const std::string& key_pem) {
  const OpenSslPtr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX_set_security_level(context.get(), kSecurityLevel);
  return UseKeyPair(context.get(), certificate_pem, key_pem);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(const TlsSettings& settings) {
  std::shared_ptr<TlsContext> made(new TlsContext());
  return made->Build(settings).map([&made] { return std::shared_ptr<const TlsContext>(made); });
}

Result<void> TlsContext::Build(const TlsSettings& settings) {
  context_.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = context_.get();
  if (context == nullptr) {
    return Fail("cannot set up TLS: " + OpenSslReason());
  }
  SSL_CTX_set_security_level(context, SecurityLevel(settings));
  const std::string ciphers =
      settings.cipher_suites.empty() ? kDefaultCiphers : JoinedBy(':', settings.cipher_suites);
  const std::string curves =
      settings.curves.empty() ? kDefaultCurves : JoinedBy(':', settings.curves);
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1 ||
      SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    return Fail("cannot set up TLS: OpenSSL has none of the cipher suites, or not these curves (" +
                OpenSslReason() + ")");
  }
  auto own = std::make_unique<TlsSettings>(settings);
  if (SSL_CTX_set_ex_data(context, SettingsIndex(), own.get()) != 1) {
    return Fail("cannot set up TLS: " + OpenSslReason());
  }
  settings_ = own.release();
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &VerifyClient, const_cast<TlsSettings*>(settings_));
  return UseKeyPair(context, settings.certificate_pem, settings.key_pem).and_then([this] {
    return TakeClientAuthorities();
  });
}

Result<void> TlsContext::TakeClientAuthorities() {
  if (settings_->client_ca_pem.empty()) {
    return {};
  }
  const auto authorities = ReadCertificates(settings_->client_ca_pem);
  if (!authorities) {
    return Fail("client CA: " + authorities.error().message);
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(context_.get());
  for (const auto& authority : *authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context_.get(), authority.get()) != 1) {
      return Fail("client CA: OpenSSL refuses it (" + OpenSslReason() + ")");
    }
  }
  // As for Go, what is in the file is trusted, root or not.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return {};
}

// SSL_set_SSL_CTX() brings certificate, ciphers, CAs and the verify callback; the rest was copied
// from the first context by SSL_new() and has to be set again.
bool TlsContext::ApplyTo(SSL* ssl) const {
  if (SSL_set_SSL_CTX(ssl, context_.get()) == nullptr) {
    return false;
  }
  SSL_set_verify(ssl, VerifyMode(settings_->client_auth), nullptr);
  const std::string curves =
      settings_->curves.empty() ? kDefaultCurves : JoinedBy(':', settings_->curves);
  if (settings_->prefers_own_ciphers) {
    SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  return SSL_set1_groups_list(ssl, curves.c_str()) == 1 &&
         SSL_set_min_proto_version(ssl, OpenSslVersion(settings_->min_version)) == 1 &&
         SSL_set_max_proto_version(ssl, OpenSslVersion(settings_->max_version)) == 1;
}

}  // namespace sched_exporter
