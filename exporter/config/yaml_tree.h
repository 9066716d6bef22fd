#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/config/findings.h"

namespace sched_exporter {

/// Most levels of nesting and most nodes that a config file may have. A thousand rules of fifty
/// nodes each fit (a node for each key and value, a list, and each of its items); the tree of so
/// many has 5 MB beside its texts.
inline constexpr std::size_t kMaxYamlDepth = 16;
inline constexpr std::size_t kMaxYamlNodes = 50'000;

/// A node of a YAML document as it was written: nothing is converted, merged or expanded.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMapping, kAlias };

  Kind kind = Kind::kNull;
  Place place;
  /// The text of a scalar.
  std::string text;
  /// Whether the scalar was written without quotes.
  bool is_plain = false;
  /// The items of a list; the keys and values of a mapping, in turn.
  std::vector<YamlNode> children;
};

/// What a user would call the node in a finding, as in "got a list": a value as Findings::Shown()
/// has it, "a mapping", "nothing".
std::string Described(const YamlNode& node, const Findings& findings);

/// Parses `text`, which must have passed CheckText, into the tree of its only document; an empty
/// file is a null node. Adds a finding for each thing that isn't YAML or that no config needs:
/// further documents, anchors, aliases, tags, too many nodes, too deep nesting. The tree is only
/// worth reading when it is `complete`. Never throws; the stack is bounded by yaml-cpp's own limit
/// of 500 levels, memory by kMaxYamlNodes.
struct YamlTree {
  YamlNode root;
  bool complete = false;
};
YamlTree ParseYaml(std::string_view text, Findings& findings);

}  // namespace sched_exporter
