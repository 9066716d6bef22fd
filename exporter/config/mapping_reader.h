#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/config/findings.h"
#include "exporter/config/keyed_value.h"
#include "exporter/config/yaml_tree.h"

namespace sched_exporter {

/// The values from `min` to `max`, both included.
template <typename T>
struct Range {
  T min;
  T max;
};

/// The words that stand for the values of an enum in the config.
template <typename E, std::size_t N>
using Words = std::array<std::pair<std::string_view, E>, N>;

/// Reads the keys of one mapping strictly. Each call names a key: it sets its output when the key
/// is there with a valid value, adds a finding when the value is invalid, and leaves the output
/// alone, at its default, when the key is missing. Read() then refuses all keys that nobody named.
class MappingReader {
 public:
  /// Collects the dotted path of each value (not section) that is asked for.
  using KeyPaths = std::vector<std::string>;

  /// Reads `node` with `read`. `path` is the dotted key of `node`, empty for the whole file. A
  /// null node is an empty mapping, as for Prometheus, so that a section may be commented out key
  /// by key.
  static void Read(const YamlNode& node, const std::string& path, Findings& findings,
                   KeyPaths& key_paths, const std::function<void(MappingReader&)>& read);

  /// Where the first key stands, known or not; nothing in an empty mapping.
  std::optional<Place> FirstKey() const;
  /// Where the value of `key` stands; nothing where there is none. Asking doesn't make it known.
  std::optional<Place> PlaceOf(std::string_view key) const;

  /// A mapping within this one.
  void Section(std::string_view key, const std::function<void(MappingReader&)>& read);

  void Integer(std::string_view key, Range<std::uint32_t> range, std::uint32_t& value);
  void PowerOfTwo(std::string_view key, Range<std::uint32_t> range, std::uint32_t& value);
  void Duration(std::string_view key, Range<std::chrono::milliseconds> range,
                std::chrono::milliseconds& value);

  /// true or false.
  void Boolean(std::string_view key, bool& value);
  /// A path that begins with a slash.
  void AbsolutePath(std::string_view key, std::string& value);
  /// A value with a form of its own: `read` is called when the key is there. One that is null is
  /// as missing, so that a list may be commented out item by item.
  void Value(std::string_view key, const std::function<void(const KeyedValue&)>& read);
  /// A text that `is_valid`, or none: "".
  void OptionalText(std::string_view key, const std::string& expected,
                    const std::function<bool(std::string_view)>& is_valid, std::string& value);

  template <typename E, std::size_t N>
  void Choice(std::string_view key, const Words<E, N>& words, E& value) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : words) {
      names.push_back(name);
    }
    if (const std::optional<std::size_t> index = IndexOfChoice(key, names)) {
      value = words[*index].second;
    }
  }

  /// A list of words, maybe empty.
  template <typename E, std::size_t N>
  void Choices(std::string_view key, const Words<E, N>& words, std::set<E>& values) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : words) {
      names.push_back(name);
    }
    for (const std::size_t index : IndexesOfChoices(key, names)) {
      values.insert(words[index].second);
    }
  }

  /// The same in the order of the list.
  template <typename E, std::size_t N>
  void OrderedChoices(std::string_view key, const Words<E, N>& words, std::vector<E>& values) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : words) {
      names.push_back(name);
    }
    for (const std::size_t index : IndexesOfChoices(key, names)) {
      values.push_back(words[index].second);
    }
  }

 private:
  MappingReader(const YamlNode& node, std::string path, Findings& findings, KeyPaths& key_paths);

  /// Fills entries_ and refuses what can't be a key of a mapping.
  void CollectKeys();
  void CollectKey(const YamlNode& key, const YamlNode& value);
  /// Refuses the keys that are not in known_.
  void RefuseOtherKeys();

  /// Notes that `key` is known. Its value, or null when it is missing.
  const YamlNode* Find(std::string_view key);
  /// As Find, for a key that isn't a section.
  const YamlNode* FindValue(std::string_view key);
  std::optional<std::size_t> IndexOfChoice(std::string_view key,
                                           const std::vector<std::string_view>& names);
  std::vector<std::size_t> IndexesOfChoices(std::string_view key,
                                            const std::vector<std::string_view>& names);
  std::string PathOf(std::string_view key) const;
  void Refuse(std::string_view key, const YamlNode& value, const std::string& expected,
              const std::string& hint);

  struct Entry {
    const YamlNode* key;
    const YamlNode* value;
  };

  const YamlNode& node_;
  std::string path_;
  Findings& findings_;
  KeyPaths& key_paths_;
  std::map<std::string_view, Entry> entries_;
  std::vector<std::string_view> known_;
};

}  // namespace sched_exporter
