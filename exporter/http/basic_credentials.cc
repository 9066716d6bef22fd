#include "exporter/http/basic_credentials.h"

#include <array>
#include <cstdint>

namespace sched_exporter {
namespace {

constexpr std::string_view kScheme = "basic";
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool IsSchemeBasic(std::string_view scheme) {
  if (scheme.size() != kScheme.size()) {
    return false;
  }
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char lower =
        scheme[i] >= 'A' && scheme[i] <= 'Z' ? static_cast<char>(scheme[i] + 32) : scheme[i];
    if (lower != kScheme[i]) {
      return false;
    }
  }
  return true;
}

/// The bytes of a group of four characters, of which the last `padding` are "=".
bool DecodeGroup(std::string_view group, std::size_t padding, std::string& bytes) {
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < group.size() - padding; ++i) {
    const std::size_t digit = kDigits.find(group[i]);
    if (digit == kDigits.npos) {
      return false;
    }
    bits |= static_cast<std::uint32_t>(digit) << (18U - 6U * i);
  }
  // Bits that stand for no byte must be zero, or one text had several encodings.
  if ((padding == 1 && (bits & 0xffU) != 0) || (padding == 2 && (bits & 0xffffU) != 0)) {
    return false;
  }
  const std::array<char, 3> decoded{static_cast<char>(bits >> 16U), static_cast<char>(bits >> 8U),
                                    static_cast<char>(bits)};
  bytes.append(decoded.data(), decoded.size() - padding);
  return true;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  while (!text.empty()) {
    const std::string_view group = text.substr(0, 4);
    text.remove_prefix(4);
    const std::size_t padding = !text.empty()           ? 0
                                : group.ends_with("==") ? 2
                                : group.ends_with('=')  ? 1
                                                        : 0;
    if (!DecodeGroup(group, padding, bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < group.size(); ++k) {
      bits |= static_cast<std::uint32_t>(static_cast<unsigned char>(group[k])) << (16U - 8U * k);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= group.size() ? kDigits[(bits >> (18U - 6U * k)) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace

std::optional<BasicCredentials> ParseBasicAuthorization(std::string_view value) {
  const std::size_t space = value.find(' ');
  if (space == value.npos || !IsSchemeBasic(value.substr(0, space))) {
    return std::nullopt;
  }
  const std::size_t begin = value.find_first_not_of(' ', space);
  const auto decoded = DecodeBase64(begin == value.npos ? "" : value.substr(begin));
  if (!decoded) {
    return std::nullopt;
  }
  const std::size_t colon = decoded->find(':');
  if (colon == decoded->npos) {
    return std::nullopt;
  }
  return BasicCredentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

std::string BasicAuthorization(const BasicCredentials& credentials) {
  return "Basic " + EncodeBase64(credentials.user + ":" + credentials.password);
}

}  // namespace sched_exporter
