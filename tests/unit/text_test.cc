#include "exporter/base/text.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "tests/support/exposition_checks.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;

TEST(PrintableText, LeavesPrintableTextAlone) {
  for (const std::string& text :
       {""s, "nginx: worker"s, "tab-less \"quoted\" 'text' {}"s, "\xc3\xa4"s, "\xe2\x82\xac"s,
        "\xf0\x9f\x90\xa7"s, "\xc2\xa0"s, "\xed\x9f\xbf"s, "\xee\x80\x80"s, "\xf4\x8f\xbf\xbf"s,
        "\xe0\xa0\x80"s, "\xf0\x90\x80\x80"s, "\xdf\xbf"s}) {
    EXPECT_EQ(PrintableText(text), text);
  }
}

TEST(BytesOfPrintable, AreWhatTheTextWasMadeOf) {
  std::mt19937 random(1);
  const std::string alphabet = "a\\x0f\n\xc3\xa4\xff"s;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 9, ' ');
    for (char& byte : bytes) {
      byte = alphabet[random() % alphabet.size()];
    }
    ASSERT_EQ(BytesOfPrintable(PrintableText(bytes)), bytes);
  }
}

TEST(PrintableText, DoublesBackslashes) {
  EXPECT_EQ(PrintableText("a\\b"), "a\\\\b");
  EXPECT_EQ(PrintableText("\\x0a"), "\\\\x0a");
}

TEST(PrintableText, EscapesControlCharacters) {
  const std::map<std::string, std::string> cases{
      {"\n", "\\x0a"},           {"\r", "\\x0d"},
      {"\t", "\\x09"},           {"\x1b[31m", "\\x1b[31m"},
      {"\x7f", "\\x7f"},         {"a\0b"s, "a\\x00b"},
      {"\x1f", "\\x1f"},         {"\xc2\x80", "\\xc2\\x80"},
      {"\xc2\x9f", "\\xc2\\x9f"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(PrintableText(bytes), text);
  }
}

TEST(PrintableText, EscapesBytesThatAreNoUtf8) {
  const std::map<std::string, std::string> cases{
      {"\xff", "\\xff"},
      {"\xfe", "\\xfe"},
      {"\x80", "\\x80"},                                   // a continuation alone
      {"\xc0\x80", "\\xc0\\x80"},                          // overlong NUL
      {"\xc1\xbf", "\\xc1\\xbf"},                          // overlong DEL
      {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},                 // overlong U+07FF
      {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},        // overlong U+FFFF
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},                 // the first surrogate
      {"\xed\xbf\xbf", "\\xed\\xbf\\xbf"},                 // the last one
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},        // beyond U+10FFFF
      {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},        //
      {"\xc3", "\\xc3"},                                   // cut off
      {"\xe2\x82", "\\xe2\\x82"},                          //
      {"\xf0\x9f\x90", "\\xf0\\x9f\\x90"},                 //
      {"\xc3(", "\\xc3("},                                 // no continuation
      {"\xe2\x28\xa1", "\\xe2(\\xa1"},                     //
      {"\xe2\x82\xe2\x82\xac", "\\xe2\\x82\xe2\x82\xac"},  // cut off before a good one
      {"a\xf0\x9f\x90\xa7\xf0z", "a\xf0\x9f\x90\xa7\\xf0z"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(PrintableText(bytes), text);
  }
}

std::string RandomBytes(std::mt19937& random) {
  // Mostly the bytes that decide: leads, limits of continuations, controls, backslashes.
  static const std::string kBytes =
      "\0\n\\xab0\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc2\xc3\xe0\xe2\xed\xef\xf0\xf4\xf5\xff"s;
  std::string bytes(random() % 8, '\0');
  for (char& byte : bytes) {
    byte = random() % 8 == 0 ? static_cast<char>(random()) : kBytes[random() % kBytes.size()];
  }
  return bytes;
}

TEST(PrintableText, IsUtf8AndOneLineWhateverTheBytes) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = PrintableText(RandomBytes(random));
    ASSERT_TRUE(test_support::IsUtf8(text)) << text;
    for (const char c : text) {
      ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << text;
    }
  }
}

TEST(PrintableText, GivesDifferentBytesDifferentTexts) {
  std::mt19937 random(4);
  std::map<std::string, std::string> texts;
  for (int i = 0; i < 200'000; ++i) {
    const std::string bytes = RandomBytes(random);
    const auto [known, added] = texts.emplace(PrintableText(bytes), bytes);
    ASSERT_EQ(known->second, bytes) << known->first;
  }
}

TEST(Utf8, InvalidBytesAreReplacedOneByOne) {
  for (const std::string& text : {""s, "a\0b\n"s, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7"s}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
    EXPECT_EQ(ReplacedInvalid(text), text);
  }
  const std::map<std::string, std::string> cases{
      {"\xff", "\xef\xbf\xbd"},
      {"a\xc3", "a\xef\xbf\xbd"},
      {"\xc3\xa4\x80z", "\xc3\xa4\xef\xbf\xbdz"},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_FALSE(IsUtf8(bytes)) << bytes;
    EXPECT_EQ(ReplacedInvalid(bytes), text);
  }
  EXPECT_EQ(FirstLength("\xc3\xa4z"), 2U);
  EXPECT_EQ(FirstLength("\xc3z"), 1U);
}

}  // namespace
}  // namespace sched_exporter
