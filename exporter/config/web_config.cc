#include "exporter/config/web_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "exporter/config/duration.h"
#include "exporter/config/mapping_reader.h"
#include "exporter/config/small_file.h"
#include "exporter/config/text_check.h"
#include "exporter/config/tls_reader.h"
#include "exporter/config/user_reader.h"
#include "exporter/config/yaml_tree.h"

namespace sched_exporter {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 2> kFrameOptions{"deny", "sameorigin"};
constexpr std::array<std::string_view, 1> kTypeOptions{"nosniff"};

bool IsFieldValue(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// One of `words`, or any text where there are none; blank means that the field isn't sent.
void ReadHeader(MappingReader& section, std::string_view name,
                std::span<const std::string_view> words, WebSettings& settings) {
  std::string value;
  std::string expected = words.empty() ? "printable ASCII text" : "one of ";
  expected += Joined({words.begin(), words.end()});
  section.OptionalText(
      name, expected,
      [words](std::string_view text) {
        return words.empty() ? IsFieldValue(text)
                             : std::find(words.begin(), words.end(), text) != words.end();
      },
      value);
  if (!value.empty()) {
    settings.headers.emplace_back(name, value);
  }
}

void ReadHttp(MappingReader& section, WebSettings& settings) {
  bool http2 = true;  // Accepted, as files that were written for others have it; HTTP/1.1 it is.
  section.Boolean("http2", http2);
  section.Section("headers", [&settings](MappingReader& headers) {
    ReadHeader(headers, "Content-Security-Policy", {}, settings);
    ReadHeader(headers, "Strict-Transport-Security", {}, settings);
    ReadHeader(headers, "X-Content-Type-Options", kTypeOptions, settings);
    ReadHeader(headers, "X-Frame-Options", kFrameOptions, settings);
    ReadHeader(headers, "X-XSS-Protection", {}, settings);
  });
}

void ReadRate(MappingReader& section, Findings& findings, WebSettings& settings) {
  RequestRate rate;
  std::optional<KeyedValue> interval;
  section.Value("interval", [&](const KeyedValue& value) {
    interval.emplace(value);
    // "0" turns it off and needs no unit.
    const auto read = value.node.text == "0" ? 0ms : ParseDuration(value.node.text);
    if (!read || *read > 1h) {
      RefuseValue(value, "a duration from 1ms to 1h, or 0", "", findings);
    }
    rate.interval = read.value_or(0ms);
  });
  section.Integer("burst", {1, 1'000'000}, rate.burst);
  if (rate.interval > 0ms && rate.burst == 0) {
    findings.Add(interval->place, interval->path, "expected burst beside it, got none");
  }
  if (rate.interval > 0ms) {
    settings.rate = rate;
  }
}

bool MayBeCut(const YamlNode& root) {
  const auto& children = root.children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (children[i].text == "basic_auth_users") {
      return children[i + 1].kind == YamlNode::Kind::kNull;
    }
  }
  return children.empty();
}

/// Reads the whole tree.
class TreeReader {
 public:
  TreeReader(Findings& findings, const PemChecks& checks, WebConfigReading& reading)
      : findings_(findings), checks_(checks), reading_(reading) {}

  /// Returns the paths of all keys that it looked for.
  MappingReader::KeyPaths Read(const YamlNode& root, WebSettings& settings) {
    MappingReader::KeyPaths paths;
    MappingReader::Read(root, "", findings_, paths, [&](MappingReader& file) {
      TlsReader tls(findings_, checks_, reading_);
      file.Section("tls_server_config", [&](MappingReader& section) { tls.Read(section); });
      settings.tls = tls.Take();
      file.Section("http_server_config",
                   [&](MappingReader& section) { ReadHttp(section, settings); });
      file.Value("basic_auth_users",
                 [&](const KeyedValue& users) { settings.users = ReadUsers(users, findings_); });
      file.Section("rate_limit",
                   [&](MappingReader& section) { ReadRate(section, findings_, settings); });
    });
    return paths;
  }

 private:
  Findings& findings_;
  const PemChecks& checks_;
  WebConfigReading& reading_;
};

}  // namespace

WebConfigReading ParseWebConfig(std::string_view text, const std::string& name,
                                const PemChecks& checks) {
  WebConfigReading reading;
  reading.files.push_back(name);
  if (text.size() > kMaxWebConfigBytes) {
    reading.settings = Fail(name + ": expected at most " + std::to_string(kMaxWebConfigBytes) +
                            " bytes, got more");
    return reading;
  }
  Findings findings(name, Echo::kKinds);
  CheckText(text, findings);
  WebSettings settings;
  if (findings.empty()) {
    const YamlTree tree = ParseYaml(text, findings);
    if (tree.complete) {
      TreeReader(findings, checks, reading).Read(tree.root, settings);
      reading.may_be_cut = MayBeCut(tree.root);
    }
  }
  if (findings.empty()) {
    reading.settings = std::move(settings);
  } else {
    reading.settings = tl::unexpected(findings.ToError());
  }
  return reading;
}

WebConfigReading LoadWebConfig(const std::string& path, const PemChecks& checks) {
  auto file = ReadSmallFile(path, "web config file", kMaxWebConfigBytes);
  if (!file) {
    return {tl::unexpected(file.error()), {path}, false, false, {}};
  }
  WebConfigReading reading = ParseWebConfig(file->text, path, checks);
  const bool has_users = reading.settings && !reading.settings->users.empty();
  if ((has_users || reading.has_key) && (file->mode & S_IROTH) != 0) {
    reading.warnings.push_back("everybody may read the web config file " + path + ", which has " +
                               (reading.has_key ? "a private key" : "hashes of passwords") +
                               "; chmod o-r");
  }
  return reading;
}

std::vector<std::string> WebConfigKeys() {
  Findings none("");
  WebConfigReading reading;
  WebSettings unused;
  return TreeReader(none, {}, reading).Read(YamlNode(), unused);
}

}  // namespace sched_exporter
