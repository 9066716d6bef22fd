#pragma once

#include <string>
#include <vector>

namespace sched_exporter::test_support {

/// What exec wants; points into `words`.
inline std::vector<char*> Argv(std::vector<std::string>& words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  return argv;
}

}  // namespace sched_exporter::test_support
