#include "tests/support/certificates.h"

#include <crypt.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace sched_exporter::test_support {
namespace {

struct Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using CertificatePtr = std::unique_ptr<X509, Free>;

constexpr long kDay = 86'400;

File Open(const std::string& path, const char* mode) {
  File file(std::fopen(path.c_str(), mode));
  if (!file) {
    std::abort();
  }
  return file;
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePtr Unsigned(const CertificateWish& wish, EVP_PKEY* key) {
  CertificatePtr made(X509_new());
  X509_set_version(made.get(), 2);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()), serial >> 1U);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.validity.from_days * kDay);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.validity.to_days * kDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  X509_set_pubkey(made.get(), key);
  return made;
}

}  // namespace

std::string Certificates::Certificate(const std::string& name) const {
  return directory_.path() + "/" + name + ".crt";
}

std::string Certificates::Key(const std::string& name) const {
  return directory_.path() + "/" + name + ".key";
}

void Certificates::Make(const CertificateWish& wish) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr made = Unsigned(wish, key.get());
  CertificatePtr issuer;
  KeyPtr issuer_key;
  if (!wish.issuer.empty()) {
    issuer.reset(
        PEM_read_X509(Open(Certificate(wish.issuer), "r").get(), nullptr, nullptr, nullptr));
    issuer_key.reset(
        PEM_read_PrivateKey(Open(Key(wish.issuer), "r").get(), nullptr, nullptr, nullptr));
  }
  X509* const signer = issuer ? issuer.get() : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
  AddExtension(made.get(), signer, NID_basic_constraints,
               wish.is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!wish.alternative_names.empty()) {
    AddExtension(made.get(), signer, NID_subject_alt_name, wish.alternative_names);
  }
  X509_sign(made.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256());
  PEM_write_X509(Open(Certificate(wish.name), "w").get(), made.get());
  PEM_write_PrivateKey(Open(Key(wish.name), "w").get(), key.get(), nullptr, nullptr, 0, nullptr,
                       nullptr);
  ::chmod(Key(wish.name).c_str(), 0600);
}

std::string BcryptHash(const std::string& password, int cost, const std::string& prefix) {
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
  const auto data = std::make_unique<crypt_data>();
  const char* const made =
      crypt_gensalt_rn(prefix.c_str(), static_cast<unsigned long>(cost), nullptr, 0, salt.data(),
                       static_cast<int>(salt.size())) == nullptr
          ? nullptr
          : crypt_r(password.c_str(), salt.data(), data.get());
  if (made == nullptr) {
    std::abort();
  }
  return made;
}

}  // namespace sched_exporter::test_support
