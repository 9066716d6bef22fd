#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Frees what OpenSSL owns by type.
struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;

/// The reason of OpenSSL's last failure in this thread, which it forgets with that.
std::string OpenSslReason();

/// All certificates in `pem`, one at least; what stands around them is ignored, as everywhere.
/// Fails with the reason alone.
Result<std::vector<OpenSslPtr<X509>>> ReadCertificates(const std::string& pem);

/// The private key in `pem`. Fails with the reason alone, also where it is encrypted: nobody is
/// asked for a passphrase.
Result<OpenSslPtr<EVP_PKEY>> ReadKey(const std::string& pem);

}  // namespace sched_exporter
