#include "exporter/ledger/task_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <unordered_map>

namespace sched_exporter {
namespace {

/// Addresses as the kernel gives them: multiples of an object's size in a few slabs.
TaskKey Address(std::uint64_t number) {
  return 0xFFFF'8880'0000'0000 + number / 10 * 0x8000 + number % 10 * 0x2A00;
}

/// What is in the map, each once.
std::map<TaskKey, int> ContentOf(TaskMap<int>& map) {
  std::map<TaskKey, int> content;
  map.ForEach([&content](TaskKey key, int value) {
    EXPECT_TRUE(content.emplace(key, value).second) << "twice: " << key;
  });
  return content;
}

TEST(TaskMap, IsEmptyAtFirst) {
  TaskMap<int> map;
  EXPECT_EQ(map.size(), 0);
  EXPECT_EQ(map.Find(1), nullptr);
  map.PrefetchPlace(1);
  map.PrefetchEntry(1);
}

TEST(TaskMap, AnEntryIsMadeOnceAndIsZeroAgainAfterItsErasure) {
  TaskMap<int> map;
  EXPECT_EQ(map[7], 0);
  map[7] = 3;
  EXPECT_EQ(map[7], 3);
  EXPECT_EQ(map.size(), 1);
  map.Erase(7);
  EXPECT_EQ(map.Find(7), nullptr);
  EXPECT_EQ(map[7], 0);
}

TEST(TaskMap, ReferencesOutliveInsertions) {
  TaskMap<int> map;
  int& first = map[Address(0)];
  for (std::uint64_t i = 1; i < 10'000; ++i) {
    map[Address(i)] = 1;
  }
  EXPECT_EQ(&first, map.Find(Address(0)));
}

/// Against the library's map, through more growth, erasures and collisions than a host ever has.
TEST(TaskMap, DoesWhatAnUnorderedMapDoes) {
  std::mt19937_64 random(1);
  TaskMap<int> map;
  std::unordered_map<TaskKey, int> model;
  for (int step = 0; step < 300'000; ++step) {
    // First it grows, then it shrinks.
    const bool inserts = random() % 100 < (step < 150'000 ? 60U : 40U);
    const TaskKey key = random() % 4 == 0 ? random() % 64 : Address(random() % 30'000);
    if (inserts) {
      map[key] = model[key] = step;
    } else if (model.erase(key) != 0) {
      map.Erase(key);
    }
    const TaskKey other = Address(random() % 30'000);
    const auto known = model.find(other);
    const int* const found = map.Find(other);
    ASSERT_EQ(found != nullptr, known != model.end());
    ASSERT_TRUE(found == nullptr || *found == known->second);
    ASSERT_EQ(map.size(), model.size());
  }
  EXPECT_GT(model.size(), 1'000);
  EXPECT_EQ(ContentOf(map), (std::map<TaskKey, int>(model.begin(), model.end())));
}

TEST(TaskMap, EraseIfAsksOnceForEach) {
  TaskMap<int> map;
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    map[Address(i)] = static_cast<int>(i);
  }
  std::map<TaskKey, int> asked;
  map.EraseIf([&asked](TaskKey key, int value) {
    ++asked[key];
    return value % 3 != 0;
  });
  EXPECT_EQ(asked.size(), 5'000);
  for (const auto& [key, times] : asked) {
    EXPECT_EQ(times, 1) << key;
  }
  const std::map<TaskKey, int> left = ContentOf(map);
  EXPECT_EQ(left.size(), 1'667);
  for (const auto& [key, value] : left) {
    EXPECT_EQ(value % 3, 0);
    EXPECT_EQ(*map.Find(key), value);
  }
}

}  // namespace
}  // namespace sched_exporter
