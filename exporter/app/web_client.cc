#include "exporter/app/web_client.h"

#include <CLI/CLI.hpp>
#include <fstream>

#include "exporter/app/web_files.h"
#include "exporter/http/address.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kLongestPassword = 1'024;

/// The file's text without the end of its line.
Result<std::string> ReadPassword(const std::string& path) {
  std::ifstream file(path);
  // Enough to refuse it: a device may never end. The shell's <(…) is a pipe and may be read.
  std::string password(kLongestPassword + 3, '\0');
  file.read(password.data(), static_cast<std::streamsize>(password.size()));
  password.resize(static_cast<std::size_t>(file.gcount()));
  if (!file && password.empty()) {
    return Fail("cannot read the password in " + path + ": no such file, or no right to read it");
  }
  while (password.ends_with('\n') || password.ends_with('\r')) {
    password.pop_back();
  }
  if (password.size() > kLongestPassword) {
    return Fail("cannot read the password in " + path + ": more than " +
                std::to_string(kLongestPassword) + " characters");
  }
  return password;
}

Result<HttpClientOptions> OptionsOf(const WebClientFlags& flags) {
  HttpClientOptions options;
  options.ca_file = flags.ca_file;
  options.insecure = flags.insecure;
  options.user = flags.user;
  if (flags.password_file.empty()) {
    return options;
  }
  return ReadPassword(flags.password_file).map([&options](const std::string& password) {
    options.password = password;
    return options;
  });
}

/// "HOST:PORT" where an exporter with this listen address can be asked from here.
Result<std::string> AuthorityOf(const std::string& listen_address) {
  const auto address = ParseListenAddress(listen_address);
  if (!address) {
    return tl::unexpected(address.error());
  }
  if (address->port == 0) {
    return Fail("cannot tell the port of the running exporter from --web.listen-address=" +
                listen_address + "; give its URL");
  }
  const bool is_any = address->host.empty() || address->host == "0.0.0.0";
  std::string host = is_any ? "127.0.0.1" : address->host;
  if (host.find(':') != std::string::npos) {
    host = host == "::" ? "[::1]" : "[" + host + "]";
  }
  return host + ":" + std::to_string(address->port);
}

}  // namespace

void AddWebClientFlags(CLI::App& command, WebClientFlags& flags) {
  command.add_option("--ca-file", flags.ca_file, "CAs of an exporter that speaks TLS, in PEM")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  command.add_flag("--insecure-skip-verify", flags.insecure,
                   "Take any certificate of the exporter");
  CLI::Option* const user =
      command.add_option("--user", flags.user, "Name for basic authentication")->type_name("NAME");
  command.add_option("--password-file", flags.password_file, "File with its password")
      ->type_name("FILE")
      ->needs(user);
}

Result<WebTarget> TargetAt(const std::string& url, const WebClientFlags& flags) {
  return OptionsOf(flags).map([&url](const HttpClientOptions& options) {
    return WebTarget{url, options};
  });
}

Result<WebTarget> TargetHere(const RunningHere& here, const std::string& path,
                             const WebClientFlags& flags) {
  const auto authority = AuthorityOf(here.listen_address);
  if (!authority) {
    return tl::unexpected(authority.error());
  }
  std::string certificate_pem;
  if (!here.web_config_file.empty()) {
    const auto settings = ReadWebFiles(here.web_config_file).settings;
    if (!settings) {
      return tl::unexpected(settings.error());
    }
    certificate_pem = settings->tls ? settings->tls->certificate_pem : "";
  }
  const std::string scheme = certificate_pem.empty() ? "http://" : "https://";
  auto target = TargetAt(scheme + *authority + path, flags);
  if (target && flags.ca_file.empty()) {
    target->options.pinned_certificate_pem = certificate_pem;
  }
  return target;
}

}  // namespace sched_exporter
