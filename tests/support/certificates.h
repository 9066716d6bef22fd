#pragma once

#include <string>
#include <vector>

#include "tests/support/temp_directory.h"

namespace sched_exporter::test_support {

/// When a certificate is good, from now, in days.
struct Validity {
  int from_days = -1;
  int to_days = 1;
};

/// What a certificate is to be.
struct CertificateWish {
  std::string name;         ///< Of the files and of the subject.
  std::string issuer = {};  ///< The name of a CA that was made before; empty: itself.
  Validity validity = {};
  bool is_ca = false;
  /// As openssl's subjectAltName.
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";
};

/// Makes certificates (EC, P-256) in a directory: NAME.crt and NAME.key.
class Certificates {
 public:
  void Make(const CertificateWish& wish);

  const TempDirectory& directory() const { return directory_; }
  std::string Certificate(const std::string& name) const;
  std::string Key(const std::string& name) const;

 private:
  TempDirectory directory_;
};

/// A bcrypt hash of `password` by libxcrypt; `prefix` is "$2a$", "$2b$" or "$2y$".
std::string BcryptHash(const std::string& password, int cost = 4,
                       const std::string& prefix = "$2y$");

}  // namespace sched_exporter::test_support
