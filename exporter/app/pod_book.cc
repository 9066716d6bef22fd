#include "exporter/app/pod_book.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "exporter/base/unique_fd.h"
#include "exporter/http/client.h"

namespace sched_exporter {
namespace {

/// At most a byte more than a list may have, which is enough to refuse it.
Result<std::string> ReadToLimit(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= kMostPodListBytes) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno != EINTR) {
      return Fail(WithErrno("cannot read it", errno));
    }
    if (count == 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  }
  return text;
}

/// A FIFO or a device is refused: it might never end.
Result<std::string> ReadRegularFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
    return Fail(WithErrno("cannot open it", errno));
  }
  if (!S_ISREG(status.st_mode)) {
    return Fail("it is not a regular file");
  }
  return ReadToLimit(fd.get());
}

Result<PodNames> FromList(const Result<std::string>& json) {
  PodNames names;
  return json.and_then([&](const std::string& text) { return ReadPodList(text, names); }).map([&] {
    return std::move(names);
  });
}

Error WithSource(const std::string& source, const Error& error) {
  return {source + ": " + error.message};
}

Result<PodNames> FromDirectory(const std::string& directory) {
  PodNames names;
  return ReadLogDirectories(directory, names).map([&] { return std::move(names); });
}

Result<PodNames> FromFile(const std::string& path) {
  return FromList(ReadRegularFile(path)).map_error([&](const Error& error) {
    return WithSource("pod list " + path, error);
  });
}

Result<PodNames> FromUrl(const std::string& url) {
  const auto answer = HttpGet(url, PodBook::kUrlTimeout, kMostPodListBytes);
  if (!answer) {
    return tl::unexpected(answer.error());
  }
  return FromList(answer).map_error([&](const Error& error) { return WithSource(url, error); });
}

}  // namespace

/// In the order in which later ones win.
std::array<PodBook::Source, 3> PodBook::NoSources() {
  return {Source{"", FromDirectory, {}, ""}, Source{"", FromFile, {}, ""},
          Source{"", FromUrl, {}, ""}};
}

void PodBook::SetSources(const PodSources& sources) {
  keep_gone_ = sources.keep_gone;
  const std::array<const std::string*, 3> from = {&sources.log_directory, &sources.pod_list_file,
                                                  &sources.pod_list_url};
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    Source& source = sources_.at(i);
    if (source.from != *from.at(i)) {
      source = {*from.at(i), source.read, {}, ""};
    }
  }
}

bool PodBook::Refresh(Clock::time_point now) {
  PodNames fresh;
  for (Source& source : sources_) {
    Read(source);
    fresh.Merge(source.last);
  }
  KeepGone(now, fresh);
  if (fresh == *names_) {
    return false;
  }
  names_ = std::make_shared<const PodNames>(std::move(fresh));
  return true;
}

void PodBook::Read(Source& source) const {
  if (source.from.empty()) {
    return;
  }
  Result<PodNames> read = source.read(source.from);
  if (!read) {
    Warn(source, "cannot name pods: " + read.error().message);
    return;
  }
  source.last = std::move(*read);
  Warn(source, source.last.overflowed()
                   ? source.from + " has more than " + std::to_string(PodNames::kMostPods) +
                         " pods or " + std::to_string(PodNames::kMostContainers) +
                         " containers; the rest goes without names"
                   : "");
}

void PodBook::Warn(Source& source, const std::string& reason) const {
  if (source.reason != reason && !reason.empty()) {
    log_(reason);
  }
  source.reason = reason;
}

/// Adds names of pods and containers that are gone, but not for long.
void PodBook::KeepGone(Clock::time_point now, PodNames& fresh) {
  PodNames gone;
  std::unordered_map<std::string, Clock::time_point> gone_since;
  const auto is_kept = [&](const std::string& id) {
    const auto known = gone_since_.find(id);
    const auto since = known == gone_since_.end() ? now : known->second;
    return now - since < kKeepGone + keep_gone_ && gone_since.emplace(id, since).second;
  };
  for (const auto& [uid, name] : names_->pods()) {
    if (fresh.FindPod(uid) == nullptr && is_kept(uid)) {
      gone.AddPod(uid, name);
    }
  }
  for (const auto& [id, name] : names_->containers()) {
    if (fresh.FindContainer(id) == nullptr && is_kept(id)) {
      gone.AddContainer(id, name);
    }
  }
  fresh.Merge(gone);
  gone_since_ = std::move(gone_since);
}

}  // namespace sched_exporter
