#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sched_exporter {

/// Writes JSON (RFC 8259) piece by piece, for answers with thousands of numbers. Whoever calls it
/// nests objects and arrays rightly; commas and quotes are its own matter.
class JsonText {
 public:
  JsonText& Key(std::string_view key);  ///< Of the next value; a plain word.
  JsonText& BeginObject() { return Open('{'); }
  JsonText& EndObject() { return Close('}'); }
  JsonText& BeginArray() { return Open('['); }
  JsonText& EndArray() { return Close(']'); }
  JsonText& Text(std::string_view bytes);  ///< Bytes that are no UTF-8 become U+FFFD.
  JsonText& Number(float value);           ///< As short as it can be told; not finite: null.
  JsonText& Number(double value);
  JsonText& Integer(std::uint64_t value);
  JsonText& Null() { return Raw("null"); }
  JsonText& Raw(std::string_view json);  ///< A value that is JSON already.

  const std::string& text() const { return text_; }
  std::string Take();

 private:
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);
  void Separate();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace sched_exporter
