#include "exporter/http/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace sched_exporter {
namespace {

constexpr std::size_t kLargest = 100;

/// Whether a prefix is enough, for each length of it.
std::size_t EnoughOf(const std::string& bytes, bool (*is_whole)(std::string_view, std::size_t)) {
  std::size_t length = 0;
  while (length < bytes.size() && !is_whole(std::string_view(bytes).substr(0, length), kLargest)) {
    ++length;
  }
  return is_whole(std::string_view(bytes).substr(0, length), kLargest) ? length : 0;
}

TEST(RequestHead, EndsWithAnEmptyLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(EnoughOf(head + "more", &IsWholeHead), head.size());
  const std::string bare = "GET / HTTP/1.1\nHost: a\n\n";
  EXPECT_EQ(EnoughOf(bare + "more", &IsWholeHead), bare.size());
  EXPECT_EQ(EnoughOf("GET / HTTP/1.1\r\nHost: a\r\n\r", &IsWholeHead), 0U);
  EXPECT_FALSE(IsWholeHead("", kLargest));
}

TEST(RequestHead, WhatCanBecomeNoneIsNotWaitedFor) {
  EXPECT_EQ(EnoughOf(std::string(200, 'a'), &IsWholeHead), kLargest);
  for (const char c : {'\0', '\t', '\x1b', '\x7f'}) {
    EXPECT_EQ(EnoughOf(std::string("GE") + c + "T", &IsWholeHead), 3U) << int{c};
  }
  EXPECT_EQ(EnoughOf("GET /\xc3\xa4\xff", &IsWholeHead), 0U) << "civetweb reads on, too";
}

TEST(RequestHead, AHelloIsAWholeRecord) {
  const std::string record("\x16\x03\x01\x00\x05hello", 10);
  EXPECT_EQ(EnoughOf(record + "more", &IsWholeHello), record.size());
  EXPECT_EQ(EnoughOf(std::string("\x16\x03\x01\xff\xff", 5) + std::string(200, 'x'), &IsWholeHello),
            kLargest);
  EXPECT_FALSE(IsWholeHello("", kLargest));
}

TEST(RequestHead, WhatIsNoTlsIsNotWaitedFor) {
  EXPECT_EQ(EnoughOf("GET / HTTP/1.1", &IsWholeHello), 1U);
  EXPECT_EQ(EnoughOf(std::string("\x15\x03\x01", 3), &IsWholeHello), 1U);
}

}  // namespace
}  // namespace sched_exporter
