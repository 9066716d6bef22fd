#include "exporter/config/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

namespace sched_exporter {
namespace {

/// Places of yaml-cpp count from 0; a null mark has -1 and becomes the start of the file.
Place ToPlace(const YAML::Mark& mark) {
  if (mark.is_null()) {
    return {};
  }
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

/// Builds the tree from the parser's events. The library's own YAML::Node would not do: it forgets
/// duplicate keys, and an alias in it may stand for millions of nodes.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(YamlNode& root, Findings& findings) : root_(root), findings_(findings) {}

  /// Whether events were dropped: beyond a limit or in a second document.
  bool stopped() const { return stopped_; }
  /// Where a second document starts, if nothing stopped before it.
  const std::optional<Place>& second_document() const { return second_document_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (std::exchange(has_document_, true) && !stopped_) {
      second_document_ = ToPlace(mark);
      stopped_ = true;
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Append(YamlNode::Kind::kNull, mark, anchor, "?");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    if (Append(YamlNode::Kind::kAlias, mark, 0, "?") != nullptr) {
      findings_.Add(ToPlace(mark), "", "expected a value, got an alias; write the value out");
    }
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (YamlNode* node = Append(YamlNode::Kind::kScalar, mark, anchor, tag); node != nullptr) {
      node->text = value;
      node->is_plain = tag != "!";
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    Open(YamlNode::Kind::kList, mark, anchor, tag);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    Open(YamlNode::Kind::kMapping, mark, anchor, tag);
  }
  void OnMapEnd() override { Close(); }

 private:
  /// The new node, or null when a limit was hit. Valid until the next sibling is appended, which
  /// is after all of its own children: that is why open_ may hold pointers into growing vectors.
  YamlNode* Append(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor,
                   const std::string& tag) {
    const Place place = ToPlace(mark);
    if (!stopped_ && ++nodes_ > kMaxYamlNodes) {
      Stop(place, "expected at most " + std::to_string(kMaxYamlNodes) + " values, got more");
    }
    if (stopped_) {
      return nullptr;
    }
    if (anchor != YAML::NullAnchor) {
      findings_.Add(place, "", "expected a value without an anchor, got one (\"&\")");
    }
    // yaml-cpp gives "?" to a plain value without a tag and "!" to a quoted one.
    if (tag != "?" && tag != "!") {
      findings_.Add(place, "",
                    "expected a value without a tag, got " +
                        (findings_.has_values() ? "the tag " + Quoted(tag) : "one"));
    }
    YamlNode& node = open_.empty() ? root_ : open_.back()->children.emplace_back();
    node.kind = kind;
    node.place = place;
    return &node;
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor,
            const std::string& tag) {
    YamlNode* node = Append(kind, mark, anchor, tag);
    if (node == nullptr) {
      return;
    }
    open_.push_back(node);
    if (open_.size() > kMaxYamlDepth) {
      Stop(node->place,
           "expected at most " + std::to_string(kMaxYamlDepth) + " levels of nesting, got more");
    }
  }

  void Close() {
    // After a stop, ends come without their starts.
    if (!stopped_) {
      open_.pop_back();
    }
  }

  void Stop(Place place, const std::string& why) {
    stopped_ = true;
    findings_.Add(place, "", why);
  }

  YamlNode& root_;
  Findings& findings_;
  std::vector<YamlNode*> open_;
  std::size_t nodes_ = 0;
  bool has_document_ = false;
  bool stopped_ = false;
  std::optional<Place> second_document_;
};

/// The rest of the line from `place` on.
std::string_view LineFrom(std::string_view text, Place place) {
  for (std::size_t line = 1; line < place.line; ++line) {
    const std::size_t end = text.find('\n');
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  text = text.substr(0, text.find_first_of("\r\n"));
  return text.substr(std::min(place.column - 1, text.size()));
}

/// Sends the events of `text` to `builder`. False when it isn't YAML.
bool SendEvents(std::string_view text, TreeBuilder& builder, Findings& findings) {
  std::istringstream stream{std::string(text)};
  Place place;
  std::string why;
  try {
    YAML::Parser parser(stream);
    // Never more than twice: a stray "," is an empty document that yaml-cpp doesn't move beyond.
    for (int i = 0; i < 2 && parser.HandleNextDocument(builder); ++i) {
    }
    return true;
  } catch (const YAML::Exception& e) {
    place = ToPlace(e.mark);
    // What it found comes behind a colon.
    why = findings.has_values() ? e.msg : e.msg.substr(0, e.msg.find(": "));
  } catch (const std::exception& e) {
    why = e.what();
  }
  // What comes after a stop was already refused; its errors would only hide the reason.
  if (!builder.stopped()) {
    findings.Add(place, "", "expected valid YAML: " + Escaped(why));
  }
  return false;
}

}  // namespace

std::string Described(const YamlNode& node, const Findings& findings) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return findings.Shown(node.text);
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMapping:
      return "a mapping";
    case YamlNode::Kind::kAlias:
      return "an alias";
  }
  return "";
}

YamlTree ParseYaml(std::string_view text, Findings& findings) {
  YamlTree tree;
  TreeBuilder builder(tree.root, findings);
  const bool is_yaml = SendEvents(text, builder, findings);
  if (const std::optional<Place>& second = builder.second_document()) {
    findings.Add(*second, "",
                 "expected the end of the file, got " + findings.Shown(LineFrom(text, *second)));
  }
  tree.complete = builder.second_document() || (is_yaml && !builder.stopped());
  return tree;
}

}  // namespace sched_exporter
