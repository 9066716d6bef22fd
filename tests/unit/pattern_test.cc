#include "exporter/rules/pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

/// The compiled `text`, or a failed test.
Pattern Compiled(const std::string& text) {
  Result<Pattern> pattern = Pattern::Compile(text);
  EXPECT_TRUE(pattern) << text << ": " << pattern.error().message;
  return pattern ? *std::move(pattern) : *Pattern::Compile("");
}

std::string ErrorOf(const std::string& text) {
  const Result<Pattern> pattern = Pattern::Compile(text);
  return pattern ? "" : pattern.error().message;
}

struct Case {
  std::string pattern;
  std::string text;
  bool matches;
};

TEST(Pattern, FindsWhatGoFinds) {
  for (const Case& c : std::vector<Case>{
           {"foo", "a foo b", true},
           {"^foo", "a foo b", false},
           {"b$", "a foo b", true},
           {"", "", true},
           {".+", "", false},
           {".+", "x", true},
           // Lines: the dot ends at one, the anchors don't know them without (?m).
           {"a.b", "a\nb", false},
           {"(?s)a.b", "a\nb", true},
           {"^b", "a\nb", false},
           {"a$", "a\nb", false},
           {"a$", "a\n", false},
           {"(?m)^b", "a\nb", true},
           {"a\\s+b", "a \n b", true},
           {"a[^x]b", "a\nb", true},
           {"(?i)FOO", "foo", true},
           {"a.b", "a\0b"s, true},
           // One character, not its bytes.
           {"^.$", "\xc3\xa4", true},
           {"^\xc3\xa4$", "\xc3\xa4", true},
           {"^[\xc3\xa0-\xc3\xbc]$", "\xc3\xa4", true},
           {"(?i)\xc3\x84", "\xc3\xa4", true},
           {"^\\pL+$", "\xc3\xa4\xe2\x84\xa6", true},
       }) {
    EXPECT_EQ(Compiled(c.pattern).Matches(c.text), c.matches) << c.pattern << " on " << c.text;
  }
}

// A process chooses its bytes, but not whether rules find it: each byte that is no UTF-8 is one
// character, U+FFFD, as for process-exporter.
TEST(Pattern, BytesThatAreNoTextDoNotEscape) {
  for (const std::string& byte : {"\x80"s, "\xff"s, "\xc3"s, "\xc0"s, "\xf8"s}) {
    EXPECT_TRUE(Compiled(".+").Matches(byte)) << byte;
    EXPECT_TRUE(Compiled("^.$").Matches(byte)) << byte;
    EXPECT_TRUE(Compiled("^a.b$").Matches("a" + byte + "b")) << byte;
    EXPECT_TRUE(Compiled("^a\\x{fffd}b$").Matches("a" + byte + "b")) << byte;
    EXPECT_TRUE(Compiled("^[^x]$").Matches(byte)) << byte;
    EXPECT_TRUE(Compiled("evil").Matches(byte + "evil")) << byte;
    EXPECT_FALSE(Compiled("^a+$").Matches(byte)) << byte;
  }
  // A surrogate, an overlong slash and what is cut off: as many characters as bytes.
  EXPECT_TRUE(Compiled("^.{3}$").Matches("\xed\xa0\x80"));
  EXPECT_TRUE(Compiled("^.{2}$").Matches("\xc0\xaf"));
  EXPECT_TRUE(Compiled("^.{2}$").Matches("\xe2\x82"));
  EXPECT_TRUE(Compiled("^\xc3\xa4.\xc3\xa4$").Matches("\xc3\xa4\xff\xc3\xa4"));
}

TEST(Pattern, CapturesNamedGroups) {
  std::vector<std::pair<std::string, std::string>> captures;
  const Pattern pattern = Compiled("-config.path\\s+(?P<Cfgfile>\\S+)(x)?(?P<rest>-y)?");
  EXPECT_THAT(pattern.CaptureNames(), UnorderedElementsAre("Cfgfile", "rest"));
  EXPECT_FALSE(pattern.Capture("process-exporter", captures));
  EXPECT_THAT(captures, ElementsAre());
  EXPECT_TRUE(pattern.Capture("process-exporter -config.path  a.yml", captures));
  EXPECT_THAT(captures, UnorderedElementsAre(Pair("Cfgfile", "a.yml"), Pair("rest", "")));
  EXPECT_THAT(Compiled("(a)(?:b)").CaptureNames(), ElementsAre());
}

TEST(Pattern, CapturesTheBytesThatThereAre) {
  std::vector<std::pair<std::string, std::string>> captures;
  ASSERT_TRUE(Compiled("=(?P<v>.+);(?P<w>.*)").Capture("\xff=\xc3\xa4\xfe\xe2;\xc3", captures));
  EXPECT_THAT(captures, UnorderedElementsAre(Pair("v", "\xc3\xa4\xfe\xe2"), Pair("w", "\xc3")));
}

TEST(Pattern, ErrorsHaveTheReason) {
  EXPECT_EQ(ErrorOf("(abc"), "missing ): (abc");
  EXPECT_EQ(ErrorOf("a**"), "bad repetition operator: **");
  EXPECT_EQ(ErrorOf("[z-a]"), "invalid character class range: z-a");
  EXPECT_EQ(ErrorOf("*.arg1"), "no argument for repetition operator: *");
  EXPECT_EQ(ErrorOf("(?<name>x)"), "invalid perl operator: (?<; write (?P<name>...)");
  EXPECT_THAT(ErrorOf("a(?!b)"), EndsWith("; RE2 knows no look-around"));
  EXPECT_THAT(ErrorOf("a(?<=b)"), EndsWith("; RE2 knows no look-around"));
  EXPECT_EQ(ErrorOf("(a)\\1"), "invalid escape sequence: \\1");
  EXPECT_THAT(ErrorOf("((a{100}){100}){100}"), HasSubstr("invalid repetition size"));
  EXPECT_THAT(ErrorOf("(\\pL{30}){30}"), EndsWith("; make it smaller, counted repetitions first"));
  EXPECT_THAT(ErrorOf("\xff"), HasSubstr("invalid UTF-8"));
}

TEST(Pattern, ErrorsAreOneShortLine) {
  for (const std::string& text : {"(" + std::string(4000, 'x'), "(\n\x1b"s, "(\xc3\xa4\xff"s}) {
    const std::string error = ErrorOf(text);
    EXPECT_TRUE(IsUtf8(error)) << error;
    EXPECT_EQ(error.find_first_of("\n\x1b"), std::string::npos) << error;
    EXPECT_LT(error.size(), 200U);
    EXPECT_NE(error, "");
  }
}

TEST(Pattern, IsEqualByItsText) {
  EXPECT_EQ(Compiled("a"), Compiled("a"));
  EXPECT_FALSE(Compiled("a") == Compiled("a+"));
  EXPECT_EQ(Compiled("a+").text(), "a+");
  EXPECT_GT(Compiled("a{50}").instructions(), Compiled("a").instructions());
}

TEST(NameFilter, LetsWhatIsIncludedAndNotExcluded) {
  const Pattern web = Compiled("^web");
  const Pattern db = Compiled("^db");
  const Pattern old = Compiled("old$");
  EXPECT_TRUE(NameFilter{}.Lets("anything"));
  EXPECT_TRUE(NameFilter{}.Lets(""));
  const NameFilter both{{web, db}, {old}};
  EXPECT_TRUE(both.Lets("web-1"));
  EXPECT_TRUE(both.Lets("db-1"));
  EXPECT_FALSE(both.Lets("mail"));
  EXPECT_FALSE(both.Lets("web-old"));
  const NameFilter all_but{{}, {old}};
  EXPECT_TRUE(all_but.Lets("mail"));
  EXPECT_FALSE(all_but.Lets("mail-old"));
}

}  // namespace
}  // namespace sched_exporter
