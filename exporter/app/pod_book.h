#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "exporter/base/result.h"
#include "exporter/identity/pod_names.h"

namespace sched_exporter {

/// Where names of pods come from; each may be empty.
struct PodSources {
  std::string log_directory;  ///< See ReadLogDirectories.
  std::string pod_list_file;  ///< See ReadPodList.
  std::string pod_list_url;   ///< The same over HTTP; see HttpGet.
  /// Names of pods that are gone stay this much longer than PodBook::kKeepGone: as long as series
  /// of dead cgroups, which must not lose their labels before they end.
  std::chrono::nanoseconds keep_gone{0};

  bool empty() const {
    return log_directory.empty() && pod_list_file.empty() && pod_list_url.empty();
  }
  bool operator==(const PodSources&) const = default;
};

/// What the sources say of pods, joined: lists of pods win over log directories, the URL over the
/// file. A source that fails keeps what it said last. Names of pods that are gone stay for a
/// while, because the last figures of their cgroups are still to be scraped. For one thread.
class PodBook {
 public:
  using Clock = std::chrono::steady_clock;
  /// Takes one line about a source that can't be read, once per change of the reason.
  using Log = std::function<void(const std::string&)>;

  static constexpr std::chrono::milliseconds kUrlTimeout{1'000};
  /// Counted from the first reading without the name; and see PodSources.
  static constexpr std::chrono::seconds kKeepGone{60};

  explicit PodBook(Log log) : log_(std::move(log)) {}

  /// What other sources said is forgotten like the names of pods that are gone.
  void SetSources(const PodSources& sources);

  /// Reads the sources; true where the names are others than before. Takes about kUrlTimeout at
  /// the most where files can be read at once.
  bool Refresh(Clock::time_point now);

  /// Never null; never changed any more.
  const std::shared_ptr<const PodNames>& names() const { return names_; }

 private:
  struct Source {
    std::string from;
    Result<PodNames> (*read)(const std::string& from);
    PodNames last;
    std::string reason;  ///< Why it can't be used; empty where it can.
  };

  void Read(Source& source) const;
  void Warn(Source& source, const std::string& reason) const;
  void KeepGone(Clock::time_point now, PodNames& fresh);

  static std::array<Source, 3> NoSources();

  Log log_;
  std::chrono::nanoseconds keep_gone_{0};
  std::array<Source, 3> sources_ = NoSources();
  std::shared_ptr<const PodNames> names_ = std::make_shared<PodNames>();
  std::unordered_map<std::string, Clock::time_point> gone_since_;  ///< UIDs and container ids.
};

}  // namespace sched_exporter
