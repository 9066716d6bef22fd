#include "exporter/live/json_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

namespace sched_exporter {
namespace {

template <typename Number>
std::string_view Digits(Number value, std::array<char, 32>& buffer) {
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())};
}

}  // namespace

void JsonText::Separate() {
  if (std::exchange(needs_comma_, true)) {
    text_.push_back(',');
  }
}

JsonText& JsonText::Open(char bracket) {
  Separate();
  text_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  text_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::Key(std::string_view key) {
  Text(key);
  text_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::Text(std::string_view bytes) {
  using Json = nlohmann::json;
  return Raw(Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace));
}

JsonText& JsonText::Number(float value) {
  std::array<char, 32> buffer{};
  return std::isfinite(value) ? Raw(Digits(value, buffer)) : Null();
}

JsonText& JsonText::Number(double value) {
  std::array<char, 32> buffer{};
  return std::isfinite(value) ? Raw(Digits(value, buffer)) : Null();
}

JsonText& JsonText::Integer(std::uint64_t value) {
  std::array<char, 32> buffer{};
  return Raw(Digits(value, buffer));
}

JsonText& JsonText::Raw(std::string_view json) {
  Separate();
  text_.append(json);
  return *this;
}

std::string JsonText::Take() {
  needs_comma_ = false;
  return std::exchange(text_, {});
}

}  // namespace sched_exporter
