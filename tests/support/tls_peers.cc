#include "tests/support/tls_peers.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace sched_exporter::test_support {

CurlReply Curl(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"curl", "--silent", "--include", "--max-time", "30"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const Ended ended = RunProgram(argv);
  CurlReply reply;
  reply.exit_code = ended.exit_code;
  if (ended.output.starts_with("HTTP/1.1 ")) {
    reply.status = std::atoi(ended.output.c_str() + 9);
    const std::size_t end = ended.output.find("\r\n\r\n");
    reply.headers = ended.output.substr(0, end);
    reply.body = end == std::string::npos ? "" : ended.output.substr(end + 4);
  }
  return reply;
}

Ended OpenSslClient(int port, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"openssl", "s_client", "-connect",
                                   "127.0.0.1:" + std::to_string(port)};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return RunProgram(argv);
}

std::string ServedName(int port) {
  const Ended ended = OpenSslClient(port, {});
  const std::string mark = "subject=CN = ";
  const std::size_t found = ended.output.find(mark);
  if (found == std::string::npos) {
    return "";
  }
  const std::size_t begin = found + mark.size();
  return ended.output.substr(begin, ended.output.find('\n', begin) - begin);
}

void ReplaceFile(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  std::ofstream(fresh, std::ios::binary) << text;
  std::filesystem::rename(fresh, path);
}

}  // namespace sched_exporter::test_support
