#pragma once

#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/deque.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/unordered_map.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "exporter/base/plain.h"

namespace sched_exporter {

/// Many plain records at once. As all reading it throws where the bytes are not what was written;
/// whoever reads has seen to that with a checksum.
template <typename Archive, typename T>
void ArchivePlain(Archive& archive, std::vector<T>& records) {
  static_assert(kIsPlain<T> && std::is_trivially_copyable_v<T>);
  std::uint64_t size = records.size();
  archive(size);
  records.resize(size);
  archive(cereal::binary_data(records.data(), size * sizeof(T)));
}

}  // namespace sched_exporter

// Where cereal looks for it.
namespace cereal {

template <typename Archive, typename T>
requires sched_exporter::kIsPlain<T>
void serialize(Archive& archive, T& record) {
  static_assert(std::is_trivially_copyable_v<T>);
  archive(binary_data(&record, sizeof(record)));
}

}  // namespace cereal
