#pragma once

#include <openssl/ssl.h>

namespace sched_exporter {

/// Makes civetweb find OpenSSL wherever this program runs. Debian's civetweb 1.15 opens
/// "libssl.so" and "libcrypto.so", names that only development packages have, and wants
/// SSL_get_peer_certificate(), which is a macro since OpenSSL 3. So this program has a dlopen() of
/// its own that answers these two names, and no others, with what is linked with the program, and
/// that function. See docs/decisions/0017.
///
/// Call it before mg_start2(): a reference keeps the linker from leaving both out. Does nothing
/// else.
void LendOpenSslToCivetweb();

}  // namespace sched_exporter
