#include "exporter/app/web_files.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include "exporter/app/log.h"
#include "exporter/http/tls_context.h"

namespace sched_exporter {
namespace {

/// How often files are read that change while they are read: certificate and key must be of one
/// rotation.
constexpr int kMostReadings = 3;

/// How long files have to stay as they are before they may open what was closed: a file that is
/// written in place is for a moment one with less in it.
constexpr std::chrono::seconds kRest{2};

bool RequiresCertificate(ClientAuth auth) {
  return auth == ClientAuth::kRequireAny || auth == ClientAuth::kRequireAndVerify;
}

bool VerifiesCertificate(ClientAuth auth) {
  return auth == ClientAuth::kVerifyIfGiven || auth == ClientAuth::kRequireAndVerify;
}

/// Whether clients get in by `now` that `before` kept out because they had to show nothing.
bool IsLooser(const TlsSettings& now, const TlsSettings& before) {
  return (RequiresCertificate(before.client_auth) && !RequiresCertificate(now.client_auth)) ||
         (VerifiesCertificate(before.client_auth) && !VerifiesCertificate(now.client_auth)) ||
         (!before.client_allowed_sans.empty() && now.client_allowed_sans.empty());
}

bool IsLooser(const WebSettings& now, const WebSettings& before) {
  return (!before.users.empty() && now.users.empty()) ||
         (before.tls && now.tls && IsLooser(*now.tls, *before.tls));
}

}  // namespace

bool WebFiles::Stamp::operator==(const Stamp& other) const {
  const auto same = [](const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
  };
  return error == other.error && device == other.device && inode == other.inode &&
         bytes == other.bytes && same(written, other.written) && same(changed, other.changed);
}

WebConfigReading ReadWebFiles(const std::string& path) {
  return LoadWebConfig(path, {&CheckCertificates, &CheckKeyPair});
}

WebFiles::WebFiles(std::string path)
    : path_(std::move(path)), guard_(std::make_shared<WebGuard>()) {}

Result<std::unique_ptr<WebFiles>> WebFiles::Open(const std::string& path) {
  std::unique_ptr<WebFiles> files(new WebFiles(path));
  if (path.empty()) {
    return files;
  }
  if (auto applied = files->ReadAndApply(Change::kAsked); !applied) {
    return tl::unexpected(applied.error());
  }
  files->is_serving_ = true;
  files->guard_->LookFirst([self = files.get()] { self->Look(); });
  return files;
}

WebFiles::Stamps WebFiles::StampsOf(const std::vector<std::string>& files) {
  Stamps stamps;
  for (const std::string& file : files) {
    struct stat status {};
    // Through links: Kubernetes changes a secret by another target of a link above the file.
    Stamp& stamp = stamps[file];
    if (::stat(file.c_str(), &status) != 0) {
      stamp.error = errno;
      continue;
    }
    stamp.device = status.st_dev;
    stamp.inode = status.st_ino;
    stamp.bytes = status.st_size;
    stamp.written = status.st_mtim;
    stamp.changed = status.st_ctim;
  }
  return stamps;
}

WebConfigReading WebFiles::ReadAtRest() {
  WebConfigReading reading;
  for (int i = 0; i < kMostReadings; ++i) {
    const Stamps before = StampsOf(files_);
    reading = ReadWebFiles(path_);
    const bool same_files = files_ == reading.files;
    files_ = reading.files;
    // Of before the reading: what was written meanwhile is seen by the next look.
    stamps_ = before;
    if (same_files && StampsOf(files_) == before) {
      break;
    }
  }
  return reading;
}

Result<void> WebFiles::Apply(WebSettings settings) {
  if (is_serving_ && settings.tls.has_value() != settings_.tls.has_value()) {
    spdlog::warn("turning TLS {} needs a restart", settings.tls ? "on" : "off");
    settings.tls = settings_.tls;
  }
  return guard_->Apply(settings)
      .map([&] { settings_ = std::move(settings); })
      .map_error([this](const Error& error) { return Error{path_ + ": " + error.message}; });
}

Result<void> WebFiles::Admit(const WebConfigReading& reading, Change change) {
  if (!is_serving_ || !IsLooser(*reading.settings, settings_)) {
    return {};
  }
  if (reading.may_be_cut && reading.settings->users.empty() && !settings_.users.empty()) {
    return Fail(path_ +
                ": expected basic_auth_users, got none, as in a file that is not written whole; "
                "write basic_auth_users: {} to serve everybody");
  }
  if (change == Change::kSeen) {
    opens_at_ = std::chrono::steady_clock::now() + kRest;
  }
  return {};
}

void WebFiles::Warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (std::find(warned_.begin(), warned_.end(), warning) == warned_.end()) {
      spdlog::warn("{}", warning);
    }
  }
  warned_ = warnings;
}

Result<void> WebFiles::ReadAndApply(Change change) {
  const Stamps rested = stamps_;
  opens_at_.reset();
  WebConfigReading reading = ReadAtRest();
  Warn(reading.warnings);
  if (!reading.settings) {
    return tl::unexpected(reading.settings.error());
  }
  if (change == Change::kRested && stamps_ != rested) {
    change = Change::kSeen;
  }
  return Admit(reading, change).and_then([&]() -> Result<void> {
    return opens_at_ ? Result<void>() : Apply(std::move(*reading.settings));
  });
}

Result<void> WebFiles::Reload() {
  if (path_.empty()) {
    return {};
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  auto applied = ReadAndApply(Change::kAsked);
  if (!applied) {
    LogNotReloaded("web config", applied.error());
  }
  return applied;
}

void WebFiles::Look() {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  // Another thread is at it; what it finds holds for the next.
  if (!lock.owns_lock()) {
    return;
  }
  const bool is_changed = StampsOf(files_) != stamps_;
  const bool has_rested = opens_at_ && std::chrono::steady_clock::now() >= *opens_at_;
  if (!is_changed && !has_rested) {
    return;
  }
  const auto applied = ReadAndApply(is_changed ? Change::kSeen : Change::kRested);
  if (opens_at_) {
    spdlog::info("web config asks less of clients than before; it holds once it rests for {} s",
                 kRest.count());
    return;
  }
  if (applied) {
    spdlog::info("web config reloaded");
  } else {
    LogNotReloaded("web config", applied.error());
  }
  if (on_reload_) {
    on_reload_(applied.has_value());
  }
}

}  // namespace sched_exporter
