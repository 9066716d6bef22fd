#include "exporter/config/rule_reader.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/config/mapping_reader.h"

namespace sched_exporter {
namespace {

constexpr char kDefaultName[] = "{{.ExeBase}}";
constexpr char kMatchers[] = "comm, exe, cmdline, cgroup, unit, namespace, pod, container, user";
/// What the exporter's own labels are called.
constexpr std::array<std::string_view, 6> kOwnLabels{"group", "mode",  "kind",
                                                     "code",  "errno", "le"};

constexpr std::size_t kMaxLabelNameBytes = 128;

bool IsLabelName(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view kDigits = "0123456789";
  const auto is_letter = [&](char c) { return kLetters.find(c) != std::string_view::npos; };
  return !name.empty() && name.size() <= kMaxLabelNameBytes && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return is_letter(c) || kDigits.find(c) != std::string_view::npos;
         });
}

/// Reads one rule.
class RuleReader {
 public:
  RuleReader(const YamlNode& node, const std::string& path, ExpressionReader& expressions,
             Findings& findings)
      : node_(node), path_(path), expressions_(expressions), findings_(findings) {}

  GroupRule Read() {
    MappingReader::KeyPaths unused;
    MappingReader::Read(node_, path_, findings_, unused, [this](MappingReader& reader) {
      ReadKeys(reader);
      if (node_.kind == YamlNode::Kind::kMapping) {
        CheckKeys();
      }
    });
    rule_.line = node_.place.line;
    return std::move(rule_);
  }

 private:
  void ReadKeys(MappingReader& reader) {
    reader.Value("name", [this](const KeyedValue& value) { name_.emplace(value); });
    ReadNames(reader, "comm", rule_.comm);
    ReadNames(reader, "exe", rule_.exe);
    ReadPatterns(reader, "cmdline", rule_.cmdline);
    ReadPatterns(reader, "cgroup", rule_.cgroup);
    ReadPatterns(reader, "unit", rule_.unit);
    ReadPatterns(reader, "namespace", rule_.pod_namespace);
    ReadPatterns(reader, "pod", rule_.pod);
    ReadPatterns(reader, "container", rule_.container);
    ReadPatterns(reader, "user", rule_.user);
    reader.Boolean("drop", rule_.drop);
    reader.Value("labels", [this](const KeyedValue& value) { labels_.emplace(value); });
  }

  void ReadNames(MappingReader& reader, std::string_view key, std::vector<std::string>& names) {
    reader.Value(key, [&](const KeyedValue& value) {
      has_matcher_ = true;
      const ListLimits limits{kMaxNamesInList, kMaxExpressionBytes, ListMayBe::kNotEmpty};
      for (const YamlNode& item : ReadTexts(value, limits, findings_)) {
        names.push_back(item.text);
      }
    });
  }

  void ReadPatterns(MappingReader& reader, std::string_view key, std::vector<Pattern>& patterns) {
    reader.Value(key, [&](const KeyedValue& value) {
      has_matcher_ = true;
      patterns = expressions_.ReadList(value, ListMayBe::kNotEmpty);
      // Without the captures of those that are wrong, a good name would seem to be wrong, too.
      knows_captures_ &= key != "cmdline" || patterns.size() == value.node.children.size();
    });
  }

  /// What only all keys together tell.
  void CheckKeys() {
    if (!has_matcher_) {
      findings_.Add(node_.place, path_,
                    std::string("expected one of ") + kMatchers + " at least, got none");
    }
    if (rule_.drop) {
      RefuseBesideDrop("name", name_);
      RefuseBesideDrop("labels", labels_);
      return;
    }
    ReadName();
    if (labels_) {
      ReadLabels(*labels_);
    }
  }

  void RefuseBesideDrop(const std::string& key, const std::optional<KeyedValue>& value) {
    if (value) {
      findings_.Add(value->place, value->path,
                    "expected no " + key + " beside drop: true, got one");
    }
  }

  void ReadName() {
    if (!name_ || (name_->node.kind == YamlNode::Kind::kScalar && name_->node.text.empty())) {
      SetName(kDefaultName, node_.place, path_);
    } else if (name_->node.kind != YamlNode::Kind::kScalar) {
      // Without quotes {{.Comm}} is a mapping in a mapping.
      RefuseValue(*name_, "a text", "write a name with {{ in quotes", findings_);
    } else if (name_->node.text.size() > kMaxExpressionBytes) {
      RefuseValue(*name_, "at most " + std::to_string(kMaxExpressionBytes) + " bytes", "",
                  findings_);
    } else if (knows_captures_) {
      SetName(name_->node.text, name_->place, name_->path);
    }
  }

  void SetName(const std::string& text, Place place, const std::string& path) {
    std::vector<std::string> captures;
    for (const Pattern& pattern : rule_.cmdline) {
      for (std::string& capture : pattern.CaptureNames()) {
        captures.push_back(std::move(capture));
      }
    }
    Result<NameTemplate> name = NameTemplate::Parse(text, captures);
    if (!name) {
      findings_.Add(place, path, InAscii(name.error().message));
    } else if (name->IsConstant() && text.size() > NameTemplate::kMostBytes) {
      findings_.Add(place, path,
                    "expected at most " + std::to_string(NameTemplate::kMostBytes) +
                        " bytes in a constant name, got " + std::to_string(text.size()));
    } else {
      rule_.name = *std::move(name);
    }
  }

  void ReadLabels(const KeyedValue& labels) {
    if (labels.node.kind != YamlNode::Kind::kMapping) {
      RefuseValue(labels, "a mapping of names to values", "", findings_);
      return;
    }
    const std::vector<YamlNode>& nodes = labels.node.children;
    if (nodes.size() / 2 > kMaxLabels) {
      findings_.Add(labels.place, labels.path,
                    "expected at most " + std::to_string(kMaxLabels) + " labels, got " +
                        std::to_string(nodes.size() / 2));
      return;
    }
    if (!nodes.empty() && rule_.name.text() == kOtherName) {
      findings_.Add(labels.place, labels.path,
                    "expected no labels of the group \"other\", got some");
    }
    for (std::size_t i = 0; i + 1 < nodes.size(); i += 2) {
      ReadLabel(nodes[i], nodes[i + 1], labels.path);
    }
  }

  void ReadLabel(const YamlNode& key, const YamlNode& value, const std::string& path) {
    if (key.kind == YamlNode::Kind::kAlias || value.kind == YamlNode::Kind::kAlias) {
      return;  // The tree builder refused it.
    }
    if (key.kind != YamlNode::Kind::kScalar || !IsLabelName(key.text)) {
      RefuseValue({key, key.place, path},
                  "a label name of at most " + std::to_string(kMaxLabelNameBytes) +
                      " letters, digits and _",
                  "", findings_);
    } else if (key.text.starts_with("__") ||
               std::find(kOwnLabels.begin(), kOwnLabels.end(), key.text) != kOwnLabels.end()) {
      const std::vector<std::string_view> own(kOwnLabels.begin(), kOwnLabels.end());
      RefuseValue({key, key.place, path},
                  "a label name other than " + Joined(own) + " and without __ in front", "",
                  findings_);
    } else if (value.kind != YamlNode::Kind::kScalar || value.text.empty() ||
               value.text.size() > kMaxLabelBytes) {
      const bool is_missing = value.kind == YamlNode::Kind::kNull;
      RefuseValue({value, is_missing ? key.place : value.place, path + "." + key.text},
                  "a text of 1 to " + std::to_string(kMaxLabelBytes) + " bytes", "", findings_);
    } else if (!rule_.labels.emplace(key.text, value.text).second) {
      RefuseValue({key, key.place, path}, "each label once", "", findings_);
    }
  }

  const YamlNode& node_;
  const std::string& path_;
  ExpressionReader& expressions_;
  Findings& findings_;
  GroupRule rule_;
  std::optional<KeyedValue> name_;
  std::optional<KeyedValue> labels_;
  bool has_matcher_ = false;
  bool knows_captures_ = true;
};

}  // namespace

std::shared_ptr<const GroupRules> ReadRules(const KeyedValue& value, std::size_t most_groups,
                                            ExpressionReader& expressions, Findings& findings) {
  if (value.node.kind != YamlNode::Kind::kList) {
    RefuseValue(value, "a list of rules", "", findings);
    return nullptr;
  }
  const std::vector<YamlNode>& nodes = value.node.children;
  if (nodes.size() > kMaxRules) {
    findings.Add(value.place, value.path,
                 "expected at most " + std::to_string(kMaxRules) + " rules, got " +
                     std::to_string(nodes.size()));
    return nullptr;
  }
  std::vector<GroupRule> list;
  list.reserve(nodes.size());
  for (const YamlNode& node : nodes) {
    if (node.kind == YamlNode::Kind::kNull) {
      RefuseValue({node, node.place, value.path}, "a rule", "", findings);
    } else if (node.kind != YamlNode::Kind::kAlias) {
      list.push_back(RuleReader(node, value.path, expressions, findings).Read());
    }
  }
  auto rules = std::make_shared<const GroupRules>(std::move(list));
  if (rules->constant_groups().size() > most_groups) {
    findings.Add(value.place, value.path,
                 "expected at most " + std::to_string(most_groups) +
                     " groups with constant names (limits.groups), got " +
                     std::to_string(rules->constant_groups().size()));
  }
  return rules;
}

}  // namespace sched_exporter
