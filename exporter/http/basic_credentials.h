#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sched_exporter {

/// What a client says who it is. Any bytes.
struct BasicCredentials {
  std::string user;
  std::string password;
};

/// Reads the value of the field Authorization, "Basic BASE64" (RFC 7617); nothing where it is of
/// another scheme or malformed. Base64 as RFC 4648 has it, strict, with its padding.
std::optional<BasicCredentials> ParseBasicAuthorization(std::string_view value);

/// The value that ParseBasicAuthorization() reads.
std::string BasicAuthorization(const BasicCredentials& credentials);

}  // namespace sched_exporter
