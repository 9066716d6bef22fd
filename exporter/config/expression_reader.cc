#include "exporter/config/expression_reader.h"

#include <string>

namespace sched_exporter {
namespace {

/// What an expression that doesn't compile counts for: as much as was done before RE2 gave up.
constexpr std::size_t kInstructionsOfRefused = 40'000;

}  // namespace

std::vector<Pattern> ExpressionReader::ReadList(const KeyedValue& value, ListMayBe may_be) {
  std::vector<Pattern> patterns;
  const ListLimits limits{kMaxExpressionsInList, kMaxExpressionBytes, may_be};
  for (const YamlNode& item : ReadTexts(value, limits, findings_)) {
    ReadOne(item, value.path, patterns);
  }
  return patterns;
}

void ExpressionReader::ReadOne(const YamlNode& item, const std::string& path,
                               std::vector<Pattern>& patterns) {
  if (!HasRoom(item, path)) {
    return;
  }
  Result<Pattern> pattern = Pattern::Compile(item.text);
  if (pattern) {
    instructions_ += pattern->instructions();
    patterns.push_back(*std::move(pattern));
    return;
  }
  instructions_ += kInstructionsOfRefused;
  RefuseValue({item, item.place, path}, "a regular expression", InAscii(pattern.error().message),
              findings_);
}

bool ExpressionReader::HasRoom(const YamlNode& item, const std::string& path) {
  ++expressions_;
  bytes_ += item.text.size();
  if (is_full_) {
    return false;
  }
  std::string limit;
  if (expressions_ > kMaxExpressions) {
    limit = std::to_string(kMaxExpressions) + " regular expressions";
  } else if (bytes_ > kMaxExpressionBytesInAll) {
    limit = std::to_string(kMaxExpressionBytesInAll) + " bytes of regular expressions";
  } else if (instructions_ > kMaxInstructions) {
    limit = std::to_string(kMaxInstructions) + " instructions of compiled regular expressions";
  }
  is_full_ = !limit.empty();
  if (is_full_) {
    findings_.Add(item.place, path, "expected at most " + limit + " in the whole file, got more");
  }
  return !is_full_;
}

}  // namespace sched_exporter
