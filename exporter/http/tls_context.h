#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "exporter/base/result.h"
#include "exporter/base/web_settings.h"

namespace sched_exporter {

/// Fails where `pem` isn't one certificate after the other, one at least. The reason alone.
Result<void> CheckCertificates(const std::string& pem);

/// Fails where a server couldn't use the pair: what is no certificate, what is no key or is
/// encrypted, a key of another certificate, keys that are too short. The reason alone.
Result<void> CheckKeyPair(const std::string& certificate_pem, const std::string& key_pem);

/// A server's side of TLS, made of settings once and used for any number of handshakes. For any
/// thread; nothing in it changes.
///
/// Sessions are not resumed: each handshake asks for the certificate that holds then, on both
/// sides.
class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> Make(const TlsSettings& settings);

  /// Gives `ssl`, whose ClientHello was read and not yet answered, these settings.
  bool ApplyTo(SSL* ssl) const;

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  TlsContext() = default;

  Result<void> Build(const TlsSettings& settings);
  Result<void> TakeClientAuthorities();

  std::unique_ptr<SSL_CTX, FreeContext> context_;
  /// Belongs to context_: handshakes that go on have their share in that, and not in this.
  const TlsSettings* settings_ = nullptr;
};

}  // namespace sched_exporter
