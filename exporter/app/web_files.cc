#include "exporter/app/web_files.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <sstream>
#include <utility>

#include "exporter/http/tls_context.h"

namespace sched_exporter {
namespace {

/// How often files are read that change while they are read: certificate and key must be of one
/// rotation.
constexpr int kMostReadings = 3;

void LogFindings(const Error& error) {
  // All findings come at once; each is an entry of the log.
  std::istringstream findings(error.message);
  for (std::string finding; std::getline(findings, finding);) {
    spdlog::error("web config not reloaded, the old one holds: {}", finding);
  }
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
  if (auto applied = files->ReadAndApply(); !applied) {
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
    stamps_ = StampsOf(files_);
    if (same_files && stamps_ == before) {
      break;
    }
  }
  return reading;
}

Result<void> WebFiles::Apply(WebSettings settings) {
  if (is_serving_ && settings.tls.has_value() != tls_.has_value()) {
    spdlog::warn("turning TLS {} needs a restart", settings.tls ? "on" : "off");
    settings.tls = tls_;
  }
  return guard_->Apply(settings)
      .map([&] { tls_ = settings.tls; })
      .map_error([this](const Error& error) { return Error{path_ + ": " + error.message}; });
}

void WebFiles::Warn(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) {
    if (std::find(warned_.begin(), warned_.end(), warning) == warned_.end()) {
      spdlog::warn("{}", warning);
    }
  }
  warned_ = warnings;
}

Result<void> WebFiles::ReadAndApply() {
  WebConfigReading reading = ReadAtRest();
  Warn(reading.warnings);
  return std::move(reading.settings).and_then([this](WebSettings settings) {
    return Apply(std::move(settings));
  });
}

Result<void> WebFiles::Reload() {
  if (path_.empty()) {
    return {};
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  auto applied = ReadAndApply();
  if (!applied) {
    LogFindings(applied.error());
  }
  return applied;
}

void WebFiles::Look() {
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  // Another thread is at it; what it finds holds for the next.
  if (!lock.owns_lock() || StampsOf(files_) == stamps_) {
    return;
  }
  const auto applied = ReadAndApply();
  if (applied) {
    spdlog::info("web config reloaded");
  } else {
    LogFindings(applied.error());
  }
  if (on_reload_) {
    on_reload_(applied.has_value());
  }
}

}  // namespace sched_exporter
