#include "exporter/config/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ms;
};

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;
constexpr std::array<Unit, 7> kUnits{{{"y", 365 * kDayMs},
                                      {"w", 7 * kDayMs},
                                      {"d", kDayMs},
                                      {"h", kHourMs},
                                      {"m", 60'000},
                                      {"s", 1'000},
                                      {"ms", 1}}};
constexpr std::size_t kLargestFormatted = 3;

/// Cuts the leading characters off `text` for which `is_wanted` holds.
template <typename Predicate>
std::string_view TakeWhile(std::string_view& text, Predicate is_wanted) {
  std::size_t length = 0;
  while (length < text.size() && is_wanted(text[length])) {
    ++length;
  }
  const std::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

/// The index of the unit `name` at or after `first`, or kUnits.size().
std::size_t FindUnit(std::string_view name, std::size_t first) {
  std::size_t index = first;
  while (index < kUnits.size() && kUnits[index].name != name) {
    ++index;
  }
  return index;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text.empty()) {
    return std::nullopt;
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  std::int64_t total_ms = 0;
  std::size_t first_allowed = 0;
  while (!text.empty()) {
    const std::string_view digits = TakeWhile(text, IsDigit);
    const std::string_view name = TakeWhile(text, [](char c) { return !IsDigit(c); });
    const std::size_t unit = FindUnit(name, first_allowed);
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (digits.empty() || error != std::errc() || unit == kUnits.size() ||
        count > (kMax - total_ms) / kUnits[unit].ms) {
      return std::nullopt;
    }
    total_ms += count * kUnits[unit].ms;
    first_allowed = unit + 1;
  }
  return std::chrono::milliseconds(total_ms);
}

std::string FormatDuration(std::chrono::milliseconds duration) {
  std::int64_t rest_ms = duration.count();
  std::string text;
  for (std::size_t i = kLargestFormatted; i < kUnits.size(); ++i) {
    if (const std::int64_t count = rest_ms / kUnits[i].ms; count > 0) {
      text += std::to_string(count) + std::string(kUnits[i].name);
      rest_ms %= kUnits[i].ms;
    }
  }
  return text.empty() ? "0s" : text;
}

}  // namespace sched_exporter
