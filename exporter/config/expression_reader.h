#pragma once

#include <cstddef>
#include <vector>

#include "exporter/config/keyed_value.h"
#include "exporter/config/text_list.h"
#include "exporter/rules/pattern.h"

namespace sched_exporter {

/// Most expressions in a list, and most bytes of one.
inline constexpr std::size_t kMaxExpressionsInList = 100;
inline constexpr std::size_t kMaxExpressionBytes = 4'096;

/// Most expressions of a whole config, of their texts together, and of RE2's instructions that
/// these become. A short expression may be compiled into 36,000 instructions in 10 ms, and one of
/// 4,096 bytes with nothing but Unicode classes takes 100 ms to read; so a config that was made to
/// be slow is refused within some 3 s, and programs have 16 MB at most.
inline constexpr std::size_t kMaxExpressions = 5'000;
inline constexpr std::size_t kMaxExpressionBytesInAll = 131'072;
inline constexpr std::size_t kMaxInstructions = 1'000'000;

/// Compiles the regular expressions of one config.
class ExpressionReader {
 public:
  explicit ExpressionReader(Findings& findings) : findings_(findings) {}

  /// The expressions of the list `value`. Those that can't be compiled become findings and are
  /// left out.
  std::vector<Pattern> ReadList(const KeyedValue& value, ListMayBe may_be);

 private:
  void ReadOne(const YamlNode& item, const std::string& path, std::vector<Pattern>& patterns);
  /// Whether there is room for an expression of so many bytes; adds a finding when the first one
  /// doesn't fit.
  bool HasRoom(const YamlNode& item, const std::string& path);

  Findings& findings_;
  std::size_t expressions_ = 0;
  std::size_t bytes_ = 0;
  std::size_t instructions_ = 0;
  bool is_full_ = false;
};

}  // namespace sched_exporter
