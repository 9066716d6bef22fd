#include "exporter/config/user_reader.h"

#include <algorithm>
#include <string_view>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kMostUsers = 1'000;
constexpr std::size_t kHashBytes = 60;
constexpr std::size_t kSaltAt = 7;  // "$2y$10$", salt and hash
constexpr int kMinBcryptCost = 4;

bool IsBcryptDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
}

/// Why `hash` is refused; empty where it isn't.
std::string Fault(std::string_view hash) {
  const bool has_form = hash.size() == kHashBytes && hash.substr(0, 2) == "$2" &&
                        (hash[2] == 'a' || hash[2] == 'b' || hash[2] == 'y') && hash[3] == '$' &&
                        IsDigit(hash[4]) && IsDigit(hash[5]) && hash[6] == '$' &&
                        std::all_of(hash.begin() + kSaltAt, hash.end(), IsBcryptDigit);
  if (!has_form) {
    return "expected a bcrypt hash ($2a$, $2b$ or $2y$, 60 characters), got something else; "
           "htpasswd -nBC 10 \"\" makes one";
  }
  const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  if (cost < kMinBcryptCost || cost > kMaxBcryptCost) {
    return "expected a bcrypt cost from " + std::to_string(kMinBcryptCost) + " to " +
           std::to_string(kMaxBcryptCost) + ", got " + std::to_string(cost);
  }
  return {};
}

/// The dotted path of a name; where the name may be a hash or a line without a colon only that of
/// all, beside the place.
std::string PathOfUser(const KeyedValue& users, const YamlNode& name, const YamlNode& hash) {
  constexpr std::size_t kMostShown = 32;
  if (name.text.starts_with("$2") || hash.kind == YamlNode::Kind::kNull) {
    return users.path;
  }
  const bool is_long = name.text.size() > kMostShown;
  return users.path + "." + Escaped(name.text.substr(0, kMostShown)) + (is_long ? "..." : "");
}

}  // namespace

std::map<std::string, std::string> ReadUsers(const KeyedValue& users, Findings& findings) {
  std::map<std::string, std::string> read;
  if (users.node.kind != YamlNode::Kind::kMapping) {
    findings.Add(users.place, users.path,
                 "expected a mapping of names to bcrypt hashes, got something else");
    return read;
  }
  const auto& children = users.node.children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    const YamlNode& name = children[i];
    const YamlNode& hash = children[i + 1];
    if (name.kind == YamlNode::Kind::kAlias || hash.kind == YamlNode::Kind::kAlias) {
      continue;  // The tree builder refused it.
    }
    if (name.kind != YamlNode::Kind::kScalar || name.text.empty() ||
        name.text.find(':') != std::string::npos) {
      findings.Add(name.place, users.path, "expected a name without a colon");
      continue;
    }
    const std::string path = PathOfUser(users, name, hash);
    const std::string fault = Fault(hash.kind == YamlNode::Kind::kScalar ? hash.text : "");
    if (!fault.empty()) {
      findings.Add(name.place, path, fault);
    } else if (!read.emplace(name.text, hash.text).second) {
      findings.Add(name.place, path, "expected each name once, got it again");
    }
  }
  if (read.size() > kMostUsers) {
    findings.Add(users.place, users.path,
                 "expected at most " + std::to_string(kMostUsers) + " names, got more");
  }
  return read;
}

}  // namespace sched_exporter
