#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "exporter/model/snapshot.h"

namespace sched_exporter {

/// A hash map from tasks to `T`, which can be moved and made without arguments. A look-up touches
/// two places in memory, where a std::unordered_map's touches three or four; to go through all is
/// to read memory in its order; and each entry takes 16 to 32 bytes beside `T`
/// (docs/performance.md). An erasure moves another entry to the gap: no reference to any entry
/// holds beyond it.
template <typename T>
class TaskMap {
 public:
  std::size_t size() const { return size_; }

  /// Null where there is none.
  T* Find(TaskKey key) {
    const Slot* const slot = slots_.empty() ? nullptr : &slots_[SlotOf(key)];
    return slot == nullptr || slot->position == kFree ? nullptr : &At(slot->position).value;
  }
  const T* Find(TaskKey key) const { return const_cast<TaskMap*>(this)->Find(key); }

  /// The entry of `key`, made where there is none. Other references stay good.
  T& operator[](TaskKey key) {
    if (2 * (size_ + 1) > slots_.size()) {
      Grow();
    }
    Slot& slot = slots_[SlotOf(key)];
    if (slot.position == kFree) {
      slot = {TagOf(key), static_cast<std::uint32_t>(size_)};
      if (size_ == chunks_.size() * kChunk) {
        chunks_.push_back(std::make_unique<Entry[]>(kChunk));
      }
      At(size_++) = {key, T{}};
    }
    return At(slot.position).value;
  }

  /// For who goes through many tasks: asks the memory for what a look-up of `key` will read, first
  /// for its place, and when that is there for the entry. Say nothing, change nothing.
  void PrefetchPlace(TaskKey key) const {
    if (!slots_.empty()) {
      __builtin_prefetch(&slots_[HomeOf(TagOf(key))]);
    }
  }
  void PrefetchEntry(TaskKey key) const {
    if (slots_.empty()) {
      return;
    }
    const std::uint32_t position = slots_[HomeOf(TagOf(key))].position;
    if (position != kFree) {
      const auto* const entry = &chunks_[position / kChunk][position % kChunk];
      __builtin_prefetch(entry);
      __builtin_prefetch(&reinterpret_cast<const char*>(entry)[sizeof(Entry) - 1]);
    }
  }

  /// There is such an entry.
  void Erase(TaskKey key) {
    const std::size_t slot = SlotOf(key);
    const std::size_t gap = slots_[slot].position;
    Entry& last = At(--size_);
    if (gap != size_) {
      slots_[SlotOf(last.key)].position = static_cast<std::uint32_t>(gap);
      At(gap) = std::move(last);
    }
    FreeSlot(slot);
    // One chunk more than needed stays, for a task that comes and goes.
    if (chunks_.size() * kChunk > size_ + 2 * kChunk) {
      chunks_.pop_back();
    }
  }

  /// Calls `body(key, value)` for each.
  template <typename Body>
  void ForEach(const Body& body) {
    for (std::size_t i = 0; i < size_; ++i) {
      body(At(i).key, At(i).value);
    }
  }

  /// Erases those of which `is_over(key, value)` says so; asks once for each.
  template <typename IsOver>
  void EraseIf(const IsOver& is_over) {
    // From the end: what fills a gap has been asked already.
    for (std::size_t i = size_; i-- > 0;) {
      if (is_over(At(i).key, At(i).value)) {
        Erase(At(i).key);
      }
    }
  }

 private:
  struct Entry {
    TaskKey key = 0;
    T value{};
  };
  /// Where an entry is. Its first bits, in the order of the tags, say at which slot it wants to be.
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t position = kFree;
  };
  static constexpr std::uint32_t kFree = 0xFFFFFFFF;
  static constexpr std::size_t kChunk = 256;  ///< Entries that get memory at once.
  static constexpr std::size_t kLeastSlots = 64;

  Entry& At(std::size_t position) { return chunks_[position / kChunk][position % kChunk]; }

  /// The upper half of a product with 2^64 over the golden ratio: addresses differ in few bits.
  static std::uint32_t TagOf(TaskKey key) {
    return static_cast<std::uint32_t>((key * 0x9E3779B97F4A7C15) >> 32);
  }
  std::size_t HomeOf(std::uint32_t tag) const { return tag >> home_shift_; }
  std::size_t Next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }

  /// The slot of `key`, or the free one where it would be.
  std::size_t SlotOf(TaskKey key) {
    const std::uint32_t tag = TagOf(key);
    std::size_t slot = HomeOf(tag);
    while (slots_[slot].position != kFree &&
           (slots_[slot].tag != tag || At(slots_[slot].position).key != key)) {
      slot = Next(slot);
    }
    return slot;
  }

  void Grow() {
    std::vector<Slot> former(slots_.empty() ? kLeastSlots : 2 * slots_.size());
    former.swap(slots_);
    --home_shift_;
    for (const Slot& entry : former) {
      if (entry.position != kFree) {
        std::size_t slot = HomeOf(entry.tag);
        while (slots_[slot].position != kFree) {
          slot = Next(slot);
        }
        slots_[slot] = entry;
      }
    }
  }

  /// Those behind that wanted to be here or before move up.
  void FreeSlot(std::size_t gap) {
    for (std::size_t slot = Next(gap); slots_[slot].position != kFree; slot = Next(slot)) {
      const std::size_t mask = slots_.size() - 1;
      if (((slot - HomeOf(slots_[slot].tag)) & mask) >= ((slot - gap) & mask)) {
        slots_[gap] = slots_[slot];
        gap = slot;
      }
    }
    slots_[gap].position = kFree;
  }

  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::vector<Slot> slots_;  ///< A power of two of them, at least half of them free.
  /// Leaves as many bits of a tag as name a slot: those of kLeastSlots after the first Grow().
  std::uint32_t home_shift_ = 32 - std::countr_zero(kLeastSlots) + 1;
  std::size_t size_ = 0;
};

}  // namespace sched_exporter
