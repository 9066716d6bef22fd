#pragma once

#include <optional>
#include <string>

#include "exporter/config/findings.h"
#include "exporter/config/mapping_reader.h"
#include "exporter/config/web_config.h"

namespace sched_exporter {

/// Reads `tls_server_config` of a web config and the files that it names.
class TlsReader {
 public:
  /// All of them outlive this; reading.files.front() is the config's path.
  TlsReader(Findings& findings, const PemChecks& checks, WebConfigReading& reading)
      : findings_(findings), checks_(checks), reading_(reading) {}

  void Read(MappingReader& section);

  /// What was read; nothing where the section is missing or empty.
  std::optional<TlsSettings> Take();

 private:
  /// A PEM text and where it comes from.
  struct Pem {
    std::string text;
    Place place;
    std::string path;  ///< Of the key that named it.
    bool is_there = false;
    bool is_read = false;
  };

  enum class Secrecy { kPublic, kSecret };

  Pem ReadPem(MappingReader& section, std::string_view file_key, std::string_view text_key,
              Secrecy secrecy);
  void ReadPemFile(const KeyedValue& value, Secrecy secrecy, Pem& pem);
  void ReadWords(MappingReader& section);
  void ReadNames(MappingReader& section);
  void CheckPair(const Pem& certificate, const Pem& key);
  void CheckClients(const Pem& authority);
  void CheckVersions();

  Findings& findings_;
  const PemChecks& checks_;
  WebConfigReading& reading_;
  TlsSettings settings_;
  std::optional<Place> first_;  ///< Of any key.
  std::optional<Place> auth_;   ///< Of client_auth_type.
  std::optional<Place> sans_;   ///< Of client_allowed_sans.
  std::optional<Place> max_version_;
  bool only_tls13_suites_ = false;
};

}  // namespace sched_exporter
