#include "exporter/live/query_pairs.h"

#include <charconv>
#include <optional>
#include <set>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

constexpr std::size_t kLongestQuote = 40;

std::optional<char> ByteOfHex(std::string_view digits) {
  unsigned value = 0;
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value, 16);
  return digits.size() == 2 && read.ec == std::errc() && read.ptr == end
             ? std::optional<char>(static_cast<char>(value))
             : std::nullopt;
}

Result<std::string> Decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes.push_back(text[i] == '+' ? ' ' : text[i]);
      continue;
    }
    const std::optional<char> byte = ByteOfHex(text.substr(i + 1, 2));
    if (!byte) {
      return Fail("expected two hexadecimal digits after % in " + ShortQuote(text));
    }
    bytes.push_back(*byte);
    i += 2;
  }
  return bytes;
}

}  // namespace

std::string ShortQuote(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size()) {
    const std::size_t next = length + FirstLength(text.substr(length));
    if (next > kLongestQuote) {
      return "\"" + PrintableText(text.substr(0, length)) + "...\"";
    }
    length = next;
  }
  return "\"" + PrintableText(text) + "\"";
}

Result<void> ReadQuery(
    std::string_view query,
    const std::function<Result<void>(const std::string& name, const std::string& value)>& take) {
  std::set<std::string> names;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(pair.size() < query.size() ? pair.size() + 1 : pair.size());
    if (pair.empty()) {
      continue;
    }
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) {
      return Fail("expected name=value, got " + ShortQuote(pair));
    }
    const auto name = Decoded(pair.substr(0, equals));
    const auto value = Decoded(pair.substr(equals + 1));
    if (!name || !value) {
      return tl::unexpected(name ? value.error() : name.error());
    }
    if (!names.insert(*name).second) {
      return Fail(ShortQuote(*name) + " is there twice");
    }
    if (auto taken = take(*name, *value); !taken) {
      return taken;
    }
  }
  return {};
}

Result<std::size_t> ReadNumber(const std::string& name, const std::string& value, std::size_t min,
                               std::size_t max) {
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto read = std::from_chars(value.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number < min || number > max) {
    return Fail("expected " + name + " from " + std::to_string(min) + " to " + std::to_string(max) +
                ", got " + ShortQuote(value));
  }
  return number;
}

}  // namespace sched_exporter
