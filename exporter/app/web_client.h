#pragma once

#include <CLI/App.hpp>
#include <string>

#include "exporter/base/result.h"
#include "exporter/http/client.h"

namespace sched_exporter {

/// How a command that asks an exporter by HTTP was told to do it.
struct WebClientFlags {
  std::string ca_file;
  std::string user;
  std::string password_file;
  bool insecure = false;
};

/// Adds the flags to a subcommand.
void AddWebClientFlags(CLI::App& command, WebClientFlags& flags);

/// An exporter's page and how to ask for it: the arguments of HttpGet().
struct WebTarget {
  std::string url;
  HttpClientOptions options;
};

/// The page at `url`. Reads the file of the password.
Result<WebTarget> TargetAt(const std::string& url, const WebClientFlags& flags);

/// How the exporter that runs here was started.
struct RunningHere {
  std::string listen_address;
  std::string web_config_file;  ///< Empty: none.
};

/// The page `path` of the exporter that runs here: by https where its web config has TLS, whose
/// certificate is then the one to be trusted, unless the flags say whom to trust.
Result<WebTarget> TargetHere(const RunningHere& here, const std::string& path,
                             const WebClientFlags& flags);

}  // namespace sched_exporter
