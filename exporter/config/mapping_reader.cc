#include "exporter/config/mapping_reader.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "exporter/config/duration.h"
#include "exporter/config/nearest.h"
#include "exporter/config/text_list.h"

namespace sched_exporter {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The integer that `node` says: decimal digits without a sign, quotes or leading zeros, which
/// YAML 1.1 would take for octal.
std::optional<std::uint32_t> ParseInteger(const YamlNode& node, Range<std::uint32_t> range) {
  const std::string& text = node.text;
  const bool has_leading_zero = text.size() > 1 && text[0] == '0';
  if (node.kind != YamlNode::Kind::kScalar || !node.is_plain || !IsNumber(text) ||
      has_leading_zero) {
    return std::nullopt;
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < range.min || value > range.max) {
    return std::nullopt;
  }
  return value;
}

std::string IntegerHint(const YamlNode& node) {
  const bool is_quoted_number =
      node.kind == YamlNode::Kind::kScalar && !node.is_plain && IsNumber(node.text);
  return is_quoted_number ? "write it without quotes" : "";
}

std::string DurationHint(const YamlNode& node, bool is_duration) {
  if (node.kind != YamlNode::Kind::kScalar || is_duration) {
    return "";
  }
  return IsNumber(node.text) ? "a unit is missing, as in " + Quoted(node.text + "s")
                             : "write it as 500ms, 5s or 1m30s";
}

std::string NearestHint(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : "did you mean " + Quoted(nearest) + "?";
}

std::string Between(const std::string& min, const std::string& max) {
  return " from " + min + " to " + max;
}

}  // namespace

MappingReader::MappingReader(const YamlNode& node, std::string path, Findings& findings,
                             KeyPaths& key_paths)
    : node_(node), path_(std::move(path)), findings_(findings), key_paths_(key_paths) {}

void MappingReader::Read(const YamlNode& node, const std::string& path, Findings& findings,
                         KeyPaths& key_paths, const std::function<void(MappingReader&)>& read) {
  MappingReader reader(node, path, findings, key_paths);
  reader.CollectKeys();
  read(reader);
  reader.RefuseOtherKeys();
}

std::optional<Place> MappingReader::FirstKey() const {
  std::optional<Place> first;
  for (const auto& [name, entry] : entries_) {
    first = first ? std::min(*first, entry.key->place) : entry.key->place;
  }
  return first;
}

std::optional<Place> MappingReader::PlaceOf(std::string_view key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? std::nullopt : std::optional(entry->second.value->place);
}

void MappingReader::Section(std::string_view key, const std::function<void(MappingReader&)>& read) {
  static const YamlNode kMissing;
  const YamlNode* node = Find(key);
  Read(node == nullptr ? kMissing : *node, PathOf(key), findings_, key_paths_, read);
}

void MappingReader::Integer(std::string_view key, Range<std::uint32_t> range,
                            std::uint32_t& value) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return;
  }
  if (const std::optional<std::uint32_t> integer = ParseInteger(*node, range)) {
    value = *integer;
  } else {
    Refuse(key, *node, "an integer" + Between(std::to_string(range.min), std::to_string(range.max)),
           IntegerHint(*node));
  }
}

void MappingReader::PowerOfTwo(std::string_view key, Range<std::uint32_t> range,
                               std::uint32_t& value) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return;
  }
  const std::optional<std::uint32_t> integer = ParseInteger(*node, range);
  if (integer && std::has_single_bit(*integer)) {
    value = *integer;
    return;
  }
  // Within the range there are powers on both sides, as its ends are powers.
  const std::string hint = integer ? "the nearest are " + std::to_string(std::bit_floor(*integer)) +
                                         " and " + std::to_string(std::bit_ceil(*integer))
                                   : IntegerHint(*node);
  Refuse(key, *node,
         "a power of two" + Between(std::to_string(range.min), std::to_string(range.max)), hint);
}

void MappingReader::Duration(std::string_view key, Range<std::chrono::milliseconds> range,
                             std::chrono::milliseconds& value) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return;
  }
  const std::optional<std::chrono::milliseconds> duration = ParseDuration(node->text);
  if (duration && *duration >= range.min && *duration <= range.max) {
    value = *duration;
  } else {
    Refuse(key, *node, "a duration" + Between(FormatDuration(range.min), FormatDuration(range.max)),
           DurationHint(*node, duration.has_value()));
  }
}

void MappingReader::Boolean(std::string_view key, bool& value) {
  constexpr Words<bool, 2> kBooleans{{{"true", true}, {"false", false}}};
  Choice(key, kBooleans, value);
}

void MappingReader::AbsolutePath(std::string_view key, std::string& value) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return;
  }
  const bool is_path = node->kind == YamlNode::Kind::kScalar && node->text.starts_with('/') &&
                       !node->text.ends_with('/');
  if (is_path) {
    value = node->text;
  } else {
    Refuse(key, *node, "an absolute path of a file", "");
  }
}

void MappingReader::Value(std::string_view key,
                          const std::function<void(const KeyedValue&)>& read) {
  const YamlNode* node = FindValue(key);
  if (node != nullptr && node->kind != YamlNode::Kind::kNull) {
    read({*node, node->place, PathOf(key)});
  }
}

void MappingReader::OptionalText(std::string_view key, const std::string& expected,
                                 const std::function<bool(std::string_view)>& is_valid,
                                 std::string& value) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return;
  }
  if (node->kind == YamlNode::Kind::kScalar && (node->text.empty() || is_valid(node->text))) {
    value = node->text;
  } else {
    Refuse(key, *node, expected + " or \"\"", "");
  }
}

std::optional<std::size_t> MappingReader::IndexOfChoice(
    std::string_view key, const std::vector<std::string_view>& names) {
  const YamlNode* node = FindValue(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto name = std::find(names.begin(), names.end(), node->text);
  if (name == names.end()) {
    Refuse(key, *node, "one of " + Joined(names), NearestHint(node->text, names));
    return std::nullopt;
  }
  return static_cast<std::size_t>(name - names.begin());
}

std::vector<std::size_t> MappingReader::IndexesOfChoices(
    std::string_view key, const std::vector<std::string_view>& names) {
  std::vector<std::size_t> indexes;
  Value(key, [&](const KeyedValue& list) {
    const ListLimits limits{names.size(), kMaxEchoedChars, ListMayBe::kEmpty};
    for (const YamlNode& item : ReadTexts(list, limits, findings_)) {
      const auto name = std::find(names.begin(), names.end(), item.text);
      if (name == names.end()) {
        RefuseValue({item, item.place, list.path}, "one of " + Joined(names),
                    NearestHint(item.text, names), findings_);
      } else {
        indexes.push_back(static_cast<std::size_t>(name - names.begin()));
      }
    }
  });
  return indexes;
}

void MappingReader::CollectKeys() {
  if (node_.kind != YamlNode::Kind::kMapping) {
    return;
  }
  for (std::size_t i = 0; i + 1 < node_.children.size(); i += 2) {
    CollectKey(node_.children[i], node_.children[i + 1]);
  }
}

void MappingReader::CollectKey(const YamlNode& key, const YamlNode& value) {
  if (key.kind == YamlNode::Kind::kAlias) {
    return;  // The tree builder refused it.
  }
  if (key.kind != YamlNode::Kind::kScalar) {
    findings_.Add(key.place, path_, "expected a key, got " + Described(key, findings_));
    return;
  }
  // yaml-cpp takes a line without a colon for a key without a value, and puts both in one place.
  if (value.kind == YamlNode::Kind::kNull && value.place == key.place) {
    findings_.Add(key.place, path_, "expected a key and a colon, got " + findings_.Shown(key.text));
    return;
  }
  const auto [first, is_new] = entries_.try_emplace(key.text, Entry{&key, &value});
  if (!is_new) {
    findings_.Add(key.place, path_,
                  "expected each key once, got " + Quoted(key.text) + " again after line " +
                      std::to_string(first->second.key->place.line));
  }
}

void MappingReader::RefuseOtherKeys() {
  if (node_.kind == YamlNode::Kind::kScalar || node_.kind == YamlNode::Kind::kList) {
    findings_.Add(node_.place, path_,
                  "expected a mapping with the keys " + Joined(known_) + ", got " +
                      Described(node_, findings_));
  }
  for (const auto& [name, entry] : entries_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) {
      continue;
    }
    const std::string nearest = NearestHint(name, known_);
    findings_.Add(entry.key->place, path_,
                  "expected a known key, got " + Quoted(name) + "; " +
                      (nearest.empty() ? "valid keys are " + Joined(known_) : nearest));
  }
}

const YamlNode* MappingReader::Find(std::string_view key) {
  known_.push_back(key);
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? nullptr : entry->second.value;
}

const YamlNode* MappingReader::FindValue(std::string_view key) {
  key_paths_.push_back(PathOf(key));
  const YamlNode* node = Find(key);
  // An alias was refused by the tree builder.
  return node == nullptr || node->kind == YamlNode::Kind::kAlias ? nullptr : node;
}

std::string MappingReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void MappingReader::Refuse(std::string_view key, const YamlNode& value, const std::string& expected,
                           const std::string& hint) {
  // yaml-cpp places a missing value at whatever comes next, maybe lines below.
  const bool is_missing = value.kind == YamlNode::Kind::kNull;
  const Place place = is_missing ? entries_.find(key)->second.key->place : value.place;
  RefuseValue({value, place, PathOf(key)}, expected, hint, findings_);
}

}  // namespace sched_exporter
