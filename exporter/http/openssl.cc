#include "exporter/http/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace sched_exporter {
namespace {

OpenSslPtr<BIO> Reader(const std::string& text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Called for an encrypted key; without it OpenSSL would ask at the terminal.
int NoPassphrase(char* /*text*/, int /*size*/, int /*is_writing*/, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

}  // namespace

std::string OpenSslReason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

Result<std::vector<OpenSslPtr<X509>>> ReadCertificates(const std::string& pem) {
  const OpenSslPtr<BIO> reader = Reader(pem);
  std::vector<OpenSslPtr<X509>> certificates;
  while (X509* next = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  // The end of the text is an error, too.
  const unsigned long code = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  const std::string reason = OpenSslReason();
  if (!at_end) {
    return Fail("a certificate is damaged (" + reason + ")");
  }
  if (certificates.empty()) {
    return Fail("there is no certificate in it (-----BEGIN CERTIFICATE-----)");
  }
  return certificates;
}

Result<OpenSslPtr<EVP_PKEY>> ReadKey(const std::string& pem) {
  const OpenSslPtr<BIO> reader = Reader(pem);
  bool is_encrypted = false;
  OpenSslPtr<EVP_PKEY> key(
      PEM_read_bio_PrivateKey(reader.get(), nullptr, &NoPassphrase, &is_encrypted));
  ERR_clear_error();
  if (is_encrypted) {
    return Fail("the key is encrypted, and there is nobody to ask for its passphrase");
  }
  if (!key) {
    return Fail("there is no private key in it (-----BEGIN PRIVATE KEY-----)");
  }
  return key;
}

}  // namespace sched_exporter
