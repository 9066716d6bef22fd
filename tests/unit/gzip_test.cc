#include <gtest/gtest.h>

#include <random>
#include <string>

#include "exporter/http/server.h"
#include "tests/support/http_client.h"

namespace sched_exporter {
namespace {

using test_support::Gunzip;

TEST(AcceptsGzip, FollowsRfc9110) {
  for (const char* header :
       {"gzip", "GZip", "x-gzip", "deflate, gzip", "gzip;q=1", "gzip; q=0.5", "gzip ; Q=0.001", "*",
        "*;q=0.1", "br,*", "identity;q=0, gzip;q=1.0", " \tgzip\t "}) {
    EXPECT_TRUE(AcceptsGzip(header)) << header;
  }
  for (const char* header :
       {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "*, gzip;q=0", "gzip;q=0, *",
        "gzipp", "gzip;q=", "gzip;q=x", "gzip;level=9", ",", ";", "gzip;;q=1"}) {
    EXPECT_FALSE(AcceptsGzip(header)) << header;
  }
}

TEST(Gzip, KeepsEveryText) {
  std::string noise(300000, '\0');
  std::mt19937 random(1);
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string& text : {std::string(), std::string("a"), std::string(5000000, 'x'),
                                  std::string("\0\n\xff", 3), noise}) {
    const auto compressed = Gzip(text);
    ASSERT_TRUE(compressed) << compressed.error().message;
    const auto back = Gunzip(*compressed);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(*back == text) << text.size();
  }
}

TEST(Gzip, MakesExpositionTextMuchSmaller) {
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += "sched_cpu_seconds_total{group=\"g\",pid=\"" + std::to_string(i) + "\"} 1\n";
  }
  EXPECT_LT(Gzip(text)->size(), text.size() / 5);
}

TEST(EscapeHtml, LeavesNoMarkup) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\" b='y'>&amp;</a>"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
  EXPECT_EQ(EscapeHtml("plain \xc3\xa4"), "plain \xc3\xa4");
}

// The helper that all tests of compressed answers rest on.
TEST(Gunzip, RefusesDamage) {
  const std::string good = Gzip("some text").value();
  EXPECT_FALSE(Gunzip(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(Gunzip(good + "x"));
  EXPECT_FALSE(Gunzip("some text"));
  EXPECT_FALSE(Gunzip(""));
}

}  // namespace
}  // namespace sched_exporter
