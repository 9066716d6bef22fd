#include "exporter/metrics/number_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

namespace sched_exporter {
namespace {

/// Digits that prometheus::TextSerializer writes.
constexpr int kClassicDigits = std::numeric_limits<double>::max_digits10 - 1;
/// Below it a double that is an integer is exact, and its digits are written out.
constexpr double kLargestInteger = 1e15;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
/// Seconds of fewer nanoseconds may be written with an exponent.
constexpr std::uint64_t kLeastPlainNs = 1'000'000;
/// No two numbers of so few digits are the same double.
constexpr std::uint64_t kNsOf16Digits = 1'000'000'000'000'000;

template <typename Integer>
void AppendDigits(std::string& text, Integer value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  text.append(digits.begin(), end);
}

/// `%.16g`.
void AppendClassicReal(std::string& text, double value) {
  std::array<char, 32> digits;
  const auto end =
      std::to_chars(digits.begin(), digits.end(), value, std::chars_format::general, kClassicDigits)
          .ptr;
  text.append(digits.begin(), end);
}

std::ptrdiff_t DigitsIn(std::string_view number) {
  const std::string_view mantissa = number.substr(0, number.find('e'));
  const std::size_t first = mantissa.find_first_of("123456789");
  return first == mantissa.npos
             ? 0
             : std::count_if(mantissa.begin() + static_cast<std::ptrdiff_t>(first), mantissa.end(),
                             [](char c) { return c != '.'; });
}

/// The shortest text that reads as the same double. Where it has more digits than the classic
/// format, that one's text: a counter that rests must not seem to go back with another format.
void AppendShortestReal(std::string& text, double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
  const std::string_view shortest(digits.begin(), static_cast<std::size_t>(end - digits.begin()));
  if (DigitsIn(shortest) > kClassicDigits) {
    AppendClassicReal(text, value);
  } else {
    text += shortest;
  }
}

/// Whether `%.16g` of `ns` nanoseconds as a double of seconds has no other digits than `ns`. It has
/// where the double is nearer to them than to the next number of 16 digits. `ns` has at most 15.
bool RoundsToItself(std::uint64_t ns) {
  std::uint64_t power = kLeastPlainNs;
  while (power * 10 <= ns) {
    power *= 10;
  }
  // The product's exact error: that of the double of seconds, in nanoseconds.
  const double error_ns = std::fma(SecondsOf(ns), 1e9, -static_cast<double>(ns));
  constexpr double kNearlyHalf = 0.499999;
  // Below a power of ten the next number is ten times nearer.
  return ns != power &&
         std::abs(error_ns) * kLargestInteger < kNearlyHalf * static_cast<double>(power);
}

/// Seconds as the digits that the nanoseconds have.
void AppendPlainSeconds(std::string& text, std::uint64_t ns) {
  AppendExactSeconds(text, ns);
  text.erase(text.find_last_not_of('0') + 1);
}

}  // namespace

void AppendInteger(std::string& text, std::uint64_t value) { AppendDigits(text, value); }

void AppendExactSeconds(std::string& text, std::uint64_t ns) {
  AppendDigits(text, ns / kNsPerSecond);
  // The leading one makes them nine digits.
  const std::size_t point = text.size();
  AppendDigits(text, kNsPerSecond + ns % kNsPerSecond);
  text[point] = '.';
}

void AppendNumber(std::string& text, double value, NumberStyle style) {
  const bool is_classic = style == NumberStyle::kClassic;
  if (std::isnan(value)) {
    text += is_classic ? "Nan" : "NaN";
  } else if (std::isinf(value)) {
    text += value > 0 ? "+Inf" : "-Inf";
  } else if (std::abs(value) < kLargestInteger && std::trunc(value) == value) {
    AppendDigits(text, static_cast<std::int64_t>(value));
  } else if (is_classic) {
    AppendClassicReal(text, value);
  } else {
    AppendShortestReal(text, value);
  }
}

void AppendValue(std::string& text, Value value, NumberStyle style) {
  const std::uint64_t ns = value.number;
  const bool is_plain = value.is_ns && ns % kNsPerSecond != 0 && ns >= kLeastPlainNs &&
                        ns < kNsOf16Digits &&
                        (style == NumberStyle::kShortest || RoundsToItself(ns));
  if (is_plain) {
    AppendPlainSeconds(text, ns);
  } else {
    AppendNumber(text, value.AsDouble(), style);
  }
}

}  // namespace sched_exporter
