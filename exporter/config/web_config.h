#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/base/web_settings.h"

namespace sched_exporter {

/// Largest web config file, certificate or key that is read, in bytes.
inline constexpr std::size_t kMaxWebConfigBytes = 1'048'576;

/// What is to be known of PEM texts, by somebody who can read them. Reasons alone.
struct PemChecks {
  std::function<Result<void>(const std::string& pem)> certificates;
  std::function<Result<void>(const std::string& certificate_pem, const std::string& key_pem)>
      key_pair;
};

/// A web config file as it was at one moment.
struct WebConfigReading {
  /// The settings, or every finding as ParseConfig() has them. No value that may be a secret is
  /// in a finding.
  Result<WebSettings> settings = Fail("");
  /// The files that it was read of, whether or not that went well; the config itself is first.
  std::vector<std::string> files;
  /// The private key is in the config itself.
  bool has_key = false;
  /// No key at all, or `basic_auth_users` without a value: maybe not written to its end.
  bool may_be_cut = false;
  /// Lines for the log: secrets that everybody may read.
  std::vector<std::string> warnings;
};

/// Parses `text`, a web config in the format of Prometheus's exporter-toolkit, strictly, and reads
/// the files that it names; relative paths begin where `name`, the path of the config, is.
WebConfigReading ParseWebConfig(std::string_view text, const std::string& name,
                                const PemChecks& checks);

/// Reads and parses the file at `path`.
WebConfigReading LoadWebConfig(const std::string& path, const PemChecks& checks);

/// The dotted path of every key that ParseWebConfig knows, sections left out. Lets a test hold the
/// docs to it.
std::vector<std::string> WebConfigKeys();

}  // namespace sched_exporter
