#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "exporter/base/unique_fd.h"

namespace sched_exporter::test_support {

/// A line that a Stream knows again.
inline std::string Line(int number) { return "{\"n\":" + std::to_string(number) + "}\n"; }

/// What a reader of the stream learns: all must be whole lines of JSON.
struct Stream {
  std::vector<int> numbers;
  std::uint64_t lost = 0;
  std::vector<std::size_t> gaps_before;  ///< Places in `numbers`.

  explicit Stream(const std::string& text) {
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json.contains("lost")) {
        EXPECT_EQ(json["event"], "lost");
        EXPECT_EQ(json["buffer"], "stream");
        lost += json["lost"].get<std::uint64_t>();
        gaps_before.push_back(numbers.size());
      } else {
        numbers.push_back(json["n"]);
      }
    }
  }
};

/// Two ends that are connected: `in` is written, `out` is read.
struct Pipe {
  explicit Pipe(int (*open)(int*) = [](int* ends) { return ::pipe2(ends, O_CLOEXEC); }) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(open(ends), 0);
    out = UniqueFd(ends[0]);
    in = UniqueFd(ends[1]);
  }
  /// All until there is nothing more; the writer must be gone.
  std::string ReadAll() {
    in = UniqueFd();
    return Drain();
  }
  std::string Drain() const {
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 1; count > 0;) {
      count = ::read(out.get(), buffer.data(), buffer.size());
      text.append(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    }
    return text;
  }

  UniqueFd out;
  UniqueFd in;
};

}  // namespace sched_exporter::test_support
