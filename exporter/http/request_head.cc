#include "exporter/http/request_head.h"

#include <algorithm>

namespace sched_exporter {
namespace {

// get_http_header_len() of civetweb gives up at the first of these.
bool IsNoText(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < ' ' && c != '\r' && c != '\n') || byte == 0x7f;
}

}  // namespace

bool IsWholeHead(std::string_view bytes, std::size_t largest) {
  return bytes.size() >= largest || bytes.find("\r\n\r\n") != std::string_view::npos ||
         bytes.find("\n\n") != std::string_view::npos ||
         std::any_of(bytes.begin(), bytes.end(), &IsNoText);
}

bool IsWholeHello(std::string_view bytes, std::size_t largest) {
  constexpr std::size_t kHeader = 5;  // type, version, length
  constexpr char kHandshake = 22;
  if (bytes.empty()) return false;
  if (bytes.front() != kHandshake || bytes.size() >= largest) return true;
  if (bytes.size() < kHeader) return false;
  const std::size_t length = static_cast<unsigned char>(bytes[3]) * std::size_t{256} +
                             static_cast<unsigned char>(bytes[4]);
  return bytes.size() >= std::min(kHeader + length, largest);
}

}  // namespace sched_exporter
