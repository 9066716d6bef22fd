#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sched_exporter::test_support {

/// A fresh directory, removed with all that is in it.
class TempDirectory {
 public:
  TempDirectory() {
    if (mkdtemp(path_.data()) == nullptr) {
      std::abort();
    }
  }
  ~TempDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

  /// Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }

  bool IsEmpty() const { return std::filesystem::is_empty(path_); }

 private:
  std::string path_ = "/tmp/sched_exporter_test.XXXXXX";
};

}  // namespace sched_exporter::test_support
