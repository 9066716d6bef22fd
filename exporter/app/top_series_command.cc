#include "exporter/app/top_series_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "exporter/app/log.h"
#include "exporter/app/series_count.h"
#include "exporter/app/top_series_text.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/client.h"

namespace sched_exporter {
namespace {

constexpr std::chrono::seconds kScrapeTimeout{30};
/// A scrape by HTTP is in memory as a whole; a file or standard input is not.
constexpr std::size_t kScrapeBytes = std::size_t{256} << 20U;

Result<void> CountDescriptor(int fd, SeriesCount& count) {
  std::array<char, 65'536> part{};
  while (true) {
    const ssize_t bytes = ::read(fd, part.data(), part.size());
    if (bytes < 0 && errno == EINTR) {
      continue;
    }
    if (bytes < 0) {
      return Fail(WithErrno("cannot read it", errno));
    }
    if (bytes == 0) {
      return {};
    }
    if (auto taken = count.Take({part.data(), static_cast<std::size_t>(bytes)}); !taken) {
      return taken;
    }
  }
}

Result<void> CountFile(const std::string& path, SeriesCount& count) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  return file.valid() ? CountDescriptor(file.get(), count)
                      : Result<void>(Fail(WithErrno("cannot open it", errno)));
}

Result<void> CountTarget(const WebTarget& target, SeriesCount& count) {
  return HttpGet(target.url, kScrapeTimeout, kScrapeBytes, target.options)
      .and_then([&count](const std::string& body) { return count.Take(body); });
}

Result<void> Count(const std::string& source, const WebClientFlags& flags, SeriesCount& count) {
  if (source == "-") {
    return CountDescriptor(STDIN_FILENO, count);
  }
  if (!source.starts_with("http://") && !source.starts_with("https://")) {
    return CountFile(source, count);
  }
  return TargetAt(source, flags).and_then([&count](const WebTarget& target) {
    return CountTarget(target, count);
  });
}

std::string SourceName(const std::string& source) {
  // A URL may have a password in it.
  const bool is_secret =
      source.find("://") != std::string::npos && source.find('@') != std::string::npos;
  return source == "-" ? "standard input"
         : is_secret   ? "a URL with a user name"
                       : PrintableText(source);
}

}  // namespace

int RunTopSeriesCommand(const TopSeriesRequest& request, const RunningHere& here,
                        const std::string& telemetry_path) {
  SeriesCount count;
  std::string source = request.source;
  Result<void> counted;
  if (source.empty()) {
    const auto target = TargetHere(here, telemetry_path, request.web);
    if (!target) {
      return Fatal(target.error());
    }
    source = target->url;
    counted = CountTarget(*target, count);
  } else {
    counted = Count(source, request.web, count);
  }
  counted = counted.and_then([&count] { return count.Finish(); });
  if (!counted) {
    // The client's errors name the URL already.
    const std::string& reason = counted.error().message;
    return Fatal(reason.starts_with("cannot get ")
                     ? counted.error()
                     : Error{"cannot count series of " + SourceName(source) + ": " + reason});
  }
  const std::string text = TopSeriesText(count, request.count);
  const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return is_written ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
