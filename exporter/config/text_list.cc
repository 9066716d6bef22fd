#include "exporter/config/text_list.h"

#include <string>

namespace sched_exporter {
namespace {

bool IsText(const YamlNode& item, const KeyedValue& list, const ListLimits& limits,
            Findings& findings) {
  if (item.kind == YamlNode::Kind::kAlias) {
    return false;  // The tree builder refused it.
  }
  const KeyedValue value{item, item.place, list.path};
  if (item.kind != YamlNode::Kind::kScalar) {
    RefuseValue(value, "a text", "", findings);
    return false;
  }
  if (item.text.size() > limits.bytes) {
    RefuseValue(value, "at most " + std::to_string(limits.bytes) + " bytes", "", findings);
    return false;
  }
  return true;
}

}  // namespace

std::vector<std::reference_wrapper<const YamlNode>> ReadTexts(const KeyedValue& value,
                                                              const ListLimits& limits,
                                                              Findings& findings) {
  const std::vector<YamlNode>& items = value.node.children;
  if (value.node.kind != YamlNode::Kind::kList) {
    const bool is_shown = value.node.kind == YamlNode::Kind::kScalar && findings.has_values();
    RefuseValue(value, "a list", is_shown ? "write [" + Quoted(value.node.text) + "]" : "",
                findings);
    return {};
  }
  if (items.empty() && limits.may_be == ListMayBe::kNotEmpty) {
    findings.Add(value.place, value.path, "expected a list with one item at least, got none");
  }
  if (items.size() > limits.items) {
    findings.Add(value.place, value.path,
                 "expected at most " + std::to_string(limits.items) + " items, got " +
                     std::to_string(items.size()));
    return {};
  }
  std::vector<std::reference_wrapper<const YamlNode>> texts;
  for (const YamlNode& item : items) {
    if (IsText(item, value, limits, findings)) {
      texts.emplace_back(item);
    }
  }
  return texts;
}

}  // namespace sched_exporter
