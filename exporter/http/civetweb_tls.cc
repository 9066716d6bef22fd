#include "exporter/http/civetweb_tls.h"

#include <dlfcn.h>

#include <string_view>

// Found by civetweb through the dynamic symbols of the program (exporter/CMakeLists.txt exports
// them), before libc's.
extern "C" {

/// As libc's, but for the two names.
void* dlopen(const char* file, int mode) noexcept {
  using DlopenFunction = void* (*)(const char*, int);
  static const auto next = reinterpret_cast<DlopenFunction>(::dlsym(RTLD_NEXT, "dlopen"));
  const std::string_view name = file == nullptr ? "" : file;
  const bool is_openssl = name == "libssl.so" || name == "libcrypto.so";
  // The handle of the program stands for all that is linked with it.
  return next(is_openssl ? nullptr : file, mode);
}

/// civetweb copies what it finds in a client's certificate and needs none of it: without one it has
/// nothing to do. TlsContext looks at the certificate during the handshake.
X509* SSL_get_peer_certificate_of_openssl_1_1(const SSL* /*ssl*/) __asm__(
    "SSL_get_peer_certificate");
X509* SSL_get_peer_certificate_of_openssl_1_1(const SSL* /*ssl*/) { return nullptr; }

}  // extern "C"

namespace sched_exporter {

void LendOpenSslToCivetweb() {}

}  // namespace sched_exporter
