#pragma once

namespace cereal {
class BinaryOutputArchive;
class BinaryInputArchive;
}  // namespace cereal

namespace sched_exporter {

/// How what is remembered gets into a file and back: cereal, by base/archive.h.
using SavingArchive = cereal::BinaryOutputArchive;
using LoadingArchive = cereal::BinaryInputArchive;

/// Records that are nothing but numbers, which are kept (base/archive.h) as they are in memory:
/// those that say so by a member type `Plain`, and those that this is specialised for.
template <typename T>
inline constexpr bool kIsPlain = requires {
  typename T::Plain;
};

}  // namespace sched_exporter
