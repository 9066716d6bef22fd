#include "exporter/config/tls_reader.h"

#include <sys/stat.h>

#include <climits>
#include <filesystem>

#include "exporter/config/small_file.h"
#include "exporter/config/text_list.h"

namespace sched_exporter {
namespace {

constexpr char kSection[] = "tls_server_config";
constexpr std::size_t kMostNames = 1'000;
constexpr std::size_t kMostNameBytes = 1'024;

constexpr Words<ClientAuth, 6> kClientAuths{{
    {"NoClientCert", ClientAuth::kNone},
    {"RequestClientCert", ClientAuth::kRequest},
    {"RequireAnyClientCert", ClientAuth::kRequireAny},
    {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
    {"RequireAndVerifyClientCert", ClientAuth::kRequireAndVerify},
    {"RequireClientCert", ClientAuth::kRequireAny},  // an old name of exporter-toolkit's
}};
constexpr Words<TlsVersion, 4> kVersions{{{"TLS10", TlsVersion::kTls10},
                                          {"TLS11", TlsVersion::kTls11},
                                          {"TLS12", TlsVersion::kTls12},
                                          {"TLS13", TlsVersion::kTls13}}};
constexpr Words<std::string_view, 4> kCurves{
    {{"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}}};
/// Go's names and OpenSSL's. Those of TLS 1.3 are always there, as for Go, and stand for nothing.
constexpr Words<std::string_view, 17> kSuites{{
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"},
    {"TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA"},
    {"TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256"},
    {"TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"},
}};

/// A key in place of the name of its file would be in the reason why that can't be opened.
bool IsFileName(std::string_view text) {
  return text.size() < PATH_MAX && text.find('\n') == text.npos &&
         text.find("-----BEGIN") == text.npos;
}

bool IsVerified(ClientAuth auth) {
  return auth == ClientAuth::kVerifyIfGiven || auth == ClientAuth::kRequireAndVerify;
}

}  // namespace

void TlsReader::ReadPemFile(const KeyedValue& value, Secrecy secrecy, Pem& pem) {
  if (!IsFileName(value.node.text)) {
    findings_.Add(value.place, value.path,
                  "expected the name of a file, got a text; the key without _file takes PEM");
    return;
  }
  const std::filesystem::path directory =
      std::filesystem::path(reading_.files.front()).parent_path();
  const std::string path = (directory / value.node.text).string();
  reading_.files.push_back(path);
  const auto file = ReadSmallFile(path, "file", kMaxWebConfigBytes);
  if (!file) {
    findings_.Add(value.place, value.path, InAscii(file.error().message));
    return;
  }
  if (file->text.size() > kMaxWebConfigBytes) {
    findings_.Add(
        value.place, value.path,
        "expected a file of at most " + std::to_string(kMaxWebConfigBytes) + " bytes, got more");
    return;
  }
  if (secrecy == Secrecy::kSecret && (file->mode & S_IROTH) != 0) {
    reading_.warnings.push_back("everybody may read the key " + path + "; chmod o-r");
  }
  pem.text = file->text;
  pem.is_read = true;
}

TlsReader::Pem TlsReader::ReadPem(MappingReader& section, std::string_view file_key,
                                  std::string_view text_key, Secrecy secrecy) {
  Pem pem;
  const auto note = [&](const KeyedValue& value) {
    if (pem.is_there) {
      findings_.Add(value.place, value.path, "expected the file or the text itself, got both");
    }
    pem.is_there = true;
    pem.place = value.place;
    pem.path = value.path;
    const bool is_text = value.node.kind == YamlNode::Kind::kScalar && !value.node.text.empty();
    if (!is_text) {
      findings_.Add(value.place, value.path, "expected a text, got something else");
    }
    return is_text;
  };
  section.Value(file_key, [&](const KeyedValue& value) {
    if (note(value)) {
      ReadPemFile(value, secrecy, pem);
    }
  });
  // Not echoed by any finding: it may be the key.
  section.Value(text_key, [&](const KeyedValue& value) {
    if (note(value)) {
      pem.text = value.node.text;
      pem.is_read = true;
      reading_.has_key = reading_.has_key || secrecy == Secrecy::kSecret;
    }
  });
  return pem;
}

void TlsReader::ReadWords(MappingReader& section) {
  auth_ = section.PlaceOf("client_auth_type");
  max_version_ = section.PlaceOf("max_version");
  section.Choice("client_auth_type", kClientAuths, settings_.client_auth);
  section.Choice("min_version", kVersions, settings_.min_version);
  section.Choice("max_version", kVersions, settings_.max_version);
  section.Boolean("prefer_server_cipher_suites", settings_.prefers_own_ciphers);
  std::vector<std::string_view> words;
  section.OrderedChoices("curve_preferences", kCurves, words);
  settings_.curves.assign(words.begin(), words.end());
  words.clear();
  section.OrderedChoices("cipher_suites", kSuites, words);
  for (const std::string_view word : words) {
    if (!word.empty()) {
      settings_.cipher_suites.emplace_back(word);
    }
  }
  only_tls13_suites_ = !words.empty() && settings_.cipher_suites.empty();
}

void TlsReader::ReadNames(MappingReader& section) {
  section.Value("client_allowed_sans", [this](const KeyedValue& list) {
    sans_ = list.place;
    const ListLimits limits{kMostNames, kMostNameBytes, ListMayBe::kNotEmpty};
    for (const YamlNode& name : ReadTexts(list, limits, findings_)) {
      settings_.client_allowed_sans.push_back(name.text);
    }
  });
}

void TlsReader::CheckPair(const Pem& certificate, const Pem& key) {
  if (!certificate.is_there || !key.is_there) {
    const std::string missing = certificate.is_there ? "key_file or key" : "cert_file or cert";
    findings_.Add(*first_, kSection, "expected " + missing + ", got none");
    return;
  }
  if (!certificate.is_read || !key.is_read) {
    return;
  }
  if (const auto good = checks_.certificates(certificate.text); !good) {
    findings_.Add(certificate.place, certificate.path, InAscii(good.error().message));
  } else if (const auto fits = checks_.key_pair(certificate.text, key.text); !fits) {
    findings_.Add(key.place, key.path, InAscii(fits.error().message));
  }
}

void TlsReader::CheckClients(const Pem& authority) {
  if (authority.is_read) {
    if (const auto good = checks_.certificates(authority.text); !good) {
      findings_.Add(authority.place, authority.path, InAscii(good.error().message));
    }
  }
  const ClientAuth auth = settings_.client_auth;
  if (authority.is_there && auth == ClientAuth::kNone) {
    findings_.Add(authority.place, authority.path,
                  "expected a client_auth_type beside it that asks for certificates, such as "
                  "RequireAndVerifyClientCert");
  }
  if (!authority.is_there && IsVerified(auth)) {
    findings_.Add(*auth_, std::string(kSection) + ".client_auth_type",
                  "expected client_ca_file or client_ca beside it, got none");
  }
  if (sans_ && auth != ClientAuth::kRequireAny && auth != ClientAuth::kRequireAndVerify) {
    findings_.Add(*sans_, std::string(kSection) + ".client_allowed_sans",
                  "expected the client_auth_type RequireAnyClientCert or "
                  "RequireAndVerifyClientCert beside it, or clients need no name");
  }
}

void TlsReader::CheckVersions() {
  if (settings_.max_version < settings_.min_version) {
    findings_.Add(max_version_.value_or(*first_), std::string(kSection) + ".max_version",
                  "expected min_version or more, got less");
  }
  // No suite is left for the versions below.
  if (only_tls13_suites_) {
    settings_.min_version = TlsVersion::kTls13;
    if (settings_.max_version != TlsVersion::kTls13) {
      findings_.Add(*max_version_, std::string(kSection) + ".max_version",
                    "expected TLS13, as cipher_suites names none of TLS 1.2, got less");
    }
  }
}

void TlsReader::Read(MappingReader& section) {
  first_ = section.FirstKey();
  const Pem certificate = ReadPem(section, "cert_file", "cert", Secrecy::kPublic);
  const Pem key = ReadPem(section, "key_file", "key", Secrecy::kSecret);
  const Pem authority = ReadPem(section, "client_ca_file", "client_ca", Secrecy::kPublic);
  ReadWords(section);
  ReadNames(section);
  if (!first_) {
    return;
  }
  CheckPair(certificate, key);
  CheckClients(authority);
  CheckVersions();
  settings_.certificate_pem = certificate.text;
  settings_.key_pem = key.text;
  settings_.client_ca_pem = authority.text;
}

std::optional<TlsSettings> TlsReader::Take() {
  return first_ ? std::optional(std::move(settings_)) : std::nullopt;
}

}  // namespace sched_exporter
