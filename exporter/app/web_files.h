#pragma once

#include <sys/types.h>

#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exporter/base/result.h"
#include "exporter/config/web_config.h"
#include "exporter/http/web_guard.h"

namespace sched_exporter {

/// Reads the web config file and those that it names, with certificates and keys checked.
WebConfigReading ReadWebFiles(const std::string& path);

/// Keeps a guard as the web config file and the files that it names say: looks at them, by stat(),
/// before each handshake and each request, and reads them again where one is another file or has
/// changed. What is bad changes nothing and is logged once; what lets more clients in than before,
/// as a file does that is not written whole, holds once it has rested. For any thread.
class WebFiles {
 public:
  using OnReload = std::function<void(bool successful)>;

  /// An empty path: nothing is read, everybody may see the pages. Logs whose secrets are open.
  static Result<std::unique_ptr<WebFiles>> Open(const std::string& path);

  /// Called when changed files were read, with how that went, on any thread. Set it before a server
  /// uses the guard.
  void Tell(OnReload on_reload) { on_reload_ = std::move(on_reload); }

  /// Has a server look at the files; this outlives the server.
  std::shared_ptr<WebGuard> guard() const { return guard_; }

  /// Reads them again, changed or not. Fails with all findings, one a line, which are logged.
  Result<void> Reload();

 private:
  /// What stat() tells of each file.
  struct Stamp {
    int error = 0;
    dev_t device = 0;
    ino_t inode = 0;
    off_t bytes = 0;
    timespec written{};
    timespec changed{};

    bool operator==(const Stamp& other) const;
  };
  using Stamps = std::map<std::string, Stamp>;

  /// Why files are read: somebody asked for it, they look changed, or they have rested since.
  enum class Change { kAsked, kSeen, kRested };

  explicit WebFiles(std::string path);

  void Look();
  /// Sets opens_at_ in place of applying where that has to wait.
  Result<void> ReadAndApply(Change change);
  Result<void> Admit(const WebConfigReading& reading, Change change);
  WebConfigReading ReadAtRest();
  Result<void> Apply(WebSettings settings);
  void Warn(const std::vector<std::string>& warnings);
  static Stamps StampsOf(const std::vector<std::string>& files);

  const std::string path_;
  const std::shared_ptr<WebGuard> guard_;
  OnReload on_reload_;
  std::mutex mutex_;
  std::vector<std::string> files_;
  Stamps stamps_;            ///< Before files_ were read.
  WebSettings settings_;     ///< The last good ones.
  bool is_serving_ = false;  ///< TLS can't be turned on or off any more.
  /// When the files, if they stay as they are, may ask less of clients.
  std::optional<std::chrono::steady_clock::time_point> opens_at_;
  std::vector<std::string> warned_;
};

}  // namespace sched_exporter
