// Without a tree of the whole document: 64 MiB of "[[],[]," would become a gigabyte of it.

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "exporter/identity/pod_names.h"

namespace sched_exporter {
namespace {

using nlohmann::json;

/// Pods nest about ten levels deep.
constexpr std::size_t kMostDepth = 64;

/// The objects and lists that are looked into.
enum class Place : std::uint8_t {
  kDocument,
  kList,
  kItems,
  kPod,
  kMetadata,
  kAnnotations,
  kStatus,
  kStatuses,
  kContainer,
  kIgnored,
};

/// The strings that are looked at.
enum class Text : std::uint8_t {
  kKind,
  kUid,
  kName,
  kNamespace,
  kConfigHash,
  kConfigMirror,
  kContainerName,
  kContainerId,
  kCount,
};

enum class Shape : std::uint8_t { kObject, kArray, kString };

/// What is expected where: v1.PodList in k8s.io/api/core/v1/types.go.
struct Field {
  Place parent;
  std::string_view key;  ///< Empty for the elements of a list, and for the document.
  Shape shape;
  Place place = Place::kIgnored;  ///< Where the value's parts are, if it has some.
  Text text = Text::kCount;
};

constexpr std::array kFields = {
    Field{Place::kDocument, "", Shape::kObject, Place::kList},
    Field{Place::kList, "kind", Shape::kString, Place::kIgnored, Text::kKind},
    Field{Place::kList, "items", Shape::kArray, Place::kItems},
    Field{Place::kItems, "", Shape::kObject, Place::kPod},
    Field{Place::kPod, "metadata", Shape::kObject, Place::kMetadata},
    Field{Place::kPod, "status", Shape::kObject, Place::kStatus},
    Field{Place::kMetadata, "uid", Shape::kString, Place::kIgnored, Text::kUid},
    Field{Place::kMetadata, "name", Shape::kString, Place::kIgnored, Text::kName},
    Field{Place::kMetadata, "namespace", Shape::kString, Place::kIgnored, Text::kNamespace},
    Field{Place::kMetadata, "annotations", Shape::kObject, Place::kAnnotations},
    // ConfigHashAnnotationKey and ConfigMirrorAnnotationKey, pkg/kubelet/types/pod_update.go: the
    // kubelet's applyDefaults (pkg/kubelet/config/common.go) gives the first the static pod's UID,
    // and the pod's mirror in the API server has both.
    Field{Place::kAnnotations, "kubernetes.io/config.hash", Shape::kString, Place::kIgnored,
          Text::kConfigHash},
    Field{Place::kAnnotations, "kubernetes.io/config.mirror", Shape::kString, Place::kIgnored,
          Text::kConfigMirror},
    Field{Place::kStatus, "containerStatuses", Shape::kArray, Place::kStatuses},
    Field{Place::kStatus, "initContainerStatuses", Shape::kArray, Place::kStatuses},
    Field{Place::kStatus, "ephemeralContainerStatuses", Shape::kArray, Place::kStatuses},
    Field{Place::kStatuses, "", Shape::kObject, Place::kContainer},
    Field{Place::kContainer, "name", Shape::kString, Place::kIgnored, Text::kContainerName},
    Field{Place::kContainer, "containerID", Shape::kString, Place::kIgnored, Text::kContainerId},
};

const Field* FindField(Place parent, std::string_view key) {
  const auto* found = std::find_if(kFields.begin(), kFields.end(), [&](const Field& field) {
    return field.parent == parent && field.key == key;
  });
  return found == kFields.end() ? nullptr : found;
}

bool HasKeys(Place place) {
  return place != Place::kDocument && place != Place::kItems && place != Place::kStatuses;
}

const char* NameOf(Shape shape) {
  switch (shape) {
    case Shape::kObject:
      return "an object";
    case Shape::kArray:
      return "a list";
    default:
      return "a string";
  }
}

/// Takes the names out of the events of nlohmann's parser, which keeps no stack of its own calls.
/// Texts of the input never get into messages.
class ListReader {
 public:
  Result<PodNames> Finish(bool parsed);

  // The parser's events; false ends it.
  bool null() { return true; }
  bool boolean(bool /*value*/) { return Scalar(); }
  bool number_integer(json::number_integer_t /*value*/) { return Scalar(); }
  bool number_unsigned(json::number_unsigned_t /*value*/) { return Scalar(); }
  bool number_float(json::number_float_t /*value*/, const std::string& /*text*/) {
    return Scalar();
  }
  bool binary(json::binary_t& /*value*/) { return Scalar(); }
  bool string(std::string& value);
  bool start_object(std::size_t /*size*/) { return Begin(Shape::kObject); }
  bool key(std::string& key);
  bool end_object();
  bool start_array(std::size_t /*size*/) { return Begin(Shape::kArray); }
  bool end_array() {
    places_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*exception*/) {
    return Refuse("no valid JSON at byte " + std::to_string(position));
  }

 private:
  const Field* Expected() const;
  bool Scalar();
  bool Begin(Shape shape);
  void EndContainer();
  void EndPod();
  bool Refuse(std::string reason);
  bool RefuseShape(const Field& field);
  std::string& TextOf(Text text) { return texts_.at(static_cast<std::size_t>(text)); }

  std::vector<Place> places_ = {Place::kDocument};
  const Field* field_ = nullptr;  ///< Of the last key.
  bool has_items_ = false;
  std::size_t pods_begun_ = 0;
  std::array<std::string, static_cast<std::size_t>(Text::kCount)> texts_;
  std::vector<std::pair<std::string, std::string>> containers_;  ///< Ids and names in this pod.
  std::vector<std::pair<std::string, PodName>> annotated_;       ///< UIDs out of annotations.
  PodNames names_;
  std::string reason_;
};

/// The field whose value begins; none where nobody asks for it.
const Field* ListReader::Expected() const {
  return HasKeys(places_.back()) ? field_ : FindField(places_.back(), "");
}

bool ListReader::Scalar() {
  const Field* field = Expected();
  return field == nullptr || RefuseShape(*field);
}

bool ListReader::string(std::string& value) {
  const Field* field = Expected();
  if (field == nullptr) {
    return true;
  }
  if (field->shape != Shape::kString) {
    return RefuseShape(*field);
  }
  if (field->text == Text::kKind && value != "PodList" && value != "List") {
    return Refuse("its kind is not PodList");
  }
  TextOf(field->text) = std::move(value);
  return true;
}

bool ListReader::key(std::string& key) {
  field_ = FindField(places_.back(), key);
  has_items_ |= field_ != nullptr && field_->place == Place::kItems;
  return true;
}

bool ListReader::Begin(Shape shape) {
  if (places_.size() > kMostDepth) {
    return Refuse("it nests more than " + std::to_string(kMostDepth) + " levels deep");
  }
  const Field* field = Expected();
  if (field != nullptr && field->shape != shape) {
    return RefuseShape(*field);
  }
  places_.push_back(field == nullptr ? Place::kIgnored : field->place);
  if (places_.back() == Place::kPod) {
    ++pods_begun_;
    texts_ = {};
    containers_.clear();
  } else if (places_.back() == Place::kContainer) {
    TextOf(Text::kContainerName).clear();
    TextOf(Text::kContainerId).clear();
  }
  return true;
}

bool ListReader::end_object() {
  const Place ended = places_.back();
  places_.pop_back();
  if (ended == Place::kContainer) {
    EndContainer();
  } else if (ended == Place::kPod) {
    EndPod();
  }
  return true;
}

/// The id is "containerd://…", "cri-o://…" or "docker://…"; empty until the container is made.
void ListReader::EndContainer() {
  constexpr std::string_view kSeparator = "://";
  std::string_view id = TextOf(Text::kContainerId);
  const std::size_t separator = id.find(kSeparator);
  if (separator == id.npos) {
    return;
  }
  id.remove_prefix(separator + kSeparator.size());
  const std::string& name = TextOf(Text::kContainerName);
  if (!IsContainerId(id) || !IsContainerName(name)) {
    return;
  }
  if (containers_.size() < PodNames::kMostContainers) {
    containers_.emplace_back(id, name);
  } else {
    names_.SetOverflowed();
  }
}

/// At the pod's end, since its metadata may come after its status.
void ListReader::EndPod() {
  const PodName name{TextOf(Text::kNamespace), TextOf(Text::kName)};
  names_.AddPod(TextOf(Text::kUid), name);
  for (const auto& [id, container] : containers_) {
    names_.AddContainer(id, {container, name});
  }
  for (const Text text : {Text::kConfigHash, Text::kConfigMirror}) {
    if (!IsPodUid(TextOf(text)) || !IsPodName(name)) {
      continue;
    }
    if (annotated_.size() < 2 * PodNames::kMostPods) {
      annotated_.emplace_back(TextOf(text), name);
    } else {
      names_.SetOverflowed();
    }
  }
}

bool ListReader::Refuse(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

bool ListReader::RefuseShape(const Field& field) {
  std::string what = "the document";
  if (!field.key.empty()) {
    what = "\"" + std::string(field.key) + "\"";
  } else if (field.parent != Place::kDocument) {
    what = field.parent == Place::kItems ? "an item" : "a container status";
  }
  if (pods_begun_ > 0) {
    what += " in or after item " + std::to_string(pods_begun_);
  }
  return Refuse(what + " is not " + NameOf(field.shape));
}

Result<PodNames> ListReader::Finish(bool parsed) {
  if (parsed && !has_items_) {
    reason_ = "it has no \"items\"";
  }
  if (!reason_.empty()) {
    return Fail(std::move(reason_));
  }
  // Whoever makes a pod may annotate it with another one's UID. Of two that claim it with different
  // names neither is believed.
  std::map<std::string, std::optional<PodName>> claims;
  for (const auto& [uid, name] : annotated_) {
    const auto [claim, is_first] = claims.try_emplace(uid, name);
    if (!is_first && claim->second != name) {
      claim->second.reset();
    }
  }
  for (const auto& [uid, name] : claims) {
    if (name && names_.FindPod(uid) == nullptr) {
      names_.AddPod(uid, *name);
    }
  }
  return std::move(names_);
}

Result<PodNames> Parse(std::string_view text) {
  if (text.size() > kMostPodListBytes) {
    return Fail("it has more than " + std::to_string(kMostPodListBytes >> 20U) + " MiB");
  }
  try {
    ListReader reader;
    const bool parsed = json::sax_parse(text.begin(), text.end(), &reader);
    return reader.Finish(parsed);
  } catch (const std::exception& exception) {  // memory, or a surprise of the library
    return Fail(exception.what());
  }
}

}  // namespace

Result<void> ReadPodList(std::string_view json, PodNames& names) {
  const Result<PodNames> read = Parse(json);
  if (!read) {
    return Fail("not a list of pods: " + read.error().message +
                "; expected the JSON that a kubelet gives for GET /pods");
  }
  names.Merge(*read);
  return {};
}

}  // namespace sched_exporter
