#include "exporter/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace sched_exporter {
namespace {

TEST(Result, ErrnoIsToldInWords) {
  EXPECT_EQ(WithErrno("cannot open x", ENOENT), "cannot open x: No such file or directory");
}

}  // namespace
}  // namespace sched_exporter
