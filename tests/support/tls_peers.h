#pragma once

#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/exporter.h"

namespace sched_exporter::test_support {

/// The answer that curl(1) got, from a process of its own.
struct CurlReply {
  int exit_code = -1;
  int status = 0;       ///< 0 where there was no answer.
  std::string headers;  ///< As they came, with the status line.
  std::string body;
};

/// Runs curl with these arguments, the last of which is the URL.
CurlReply Curl(const std::vector<std::string>& arguments);

/// Runs `openssl s_client` against 127.0.0.1 without input; it ends after the handshake with exit
/// code 0, or with 1 where that failed.
Ended OpenSslClient(int port, const std::vector<std::string>& arguments);

/// The name (CN) in the certificate that the server shows, "" where it shows none.
std::string ServedName(int port);

/// Replaces a file by rename(2), as those do who care for readers.
void ReplaceFile(const std::string& path, const std::string& text);

}  // namespace sched_exporter::test_support
