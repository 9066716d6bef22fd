#include "exporter/http/basic_credentials.h"

#include <gtest/gtest.h>

namespace sched_exporter {
namespace {

std::string Read(std::string_view value) {
  const auto credentials = ParseBasicAuthorization(value);
  return credentials ? credentials->user + "|" + credentials->password : "none";
}

// The examples of RFC 7617, 2 and 2.1, and of RFC 4648, 10.
TEST(BasicCredentials, ExamplesOfTheRfcs) {
  EXPECT_EQ(Read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "Aladdin|open sesame");
  EXPECT_EQ(Read("Basic dGVzdDoxMjPCow=="), "test|123\xc2\xa3");
  EXPECT_EQ(Read("basic   Zm86YmFy"), "fo|bar");
  EXPECT_EQ(Read("BASIC Og=="), "|");
  EXPECT_EQ(Read("Basic YTpiOmM="), "a|b:c");
}

TEST(BasicCredentials, WhatIsMalformedIsNone) {
  for (const char* value :
       {"", "Basic", "Basic ", "Bearer QTpC", "QTpC", "BasicQTpC", "Basic QTpC=", "Basic QTp",
        "Basic Q=pC", "Basic QTpC QTpC", "Basic QTp*", "Basic ====", "Basic QQ==", "Basic QUE6=",
        "Basic Oh==", "Basic QUE7", "Digest QTpC", "Basic\tQTpC", "Basic QTpC "}) {
    EXPECT_EQ(Read(value), "none") << value;
  }
}

TEST(BasicCredentials, ReadsWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    const auto read = ParseBasicAuthorization(BasicAuthorization({"me", bytes}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->user, "me");
    EXPECT_EQ(read->password, bytes);
  }
}

}  // namespace
}  // namespace sched_exporter
