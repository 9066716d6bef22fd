#include "exporter/app/top_series_command.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "exporter/app/log.h"
#include "exporter/app/running_exporter.h"
#include "exporter/app/series_count.h"
#include "exporter/app/top_series_text.h"
#include "exporter/base/text.h"
#include "exporter/base/unique_fd.h"
#include "exporter/http/client.h"

namespace sched_exporter {
namespace {

constexpr std::chrono::seconds kTimeout{30};
/// A scrape by HTTP is in memory as a whole; a file or standard input is not.
constexpr std::size_t kMostBytes = std::size_t{256} << 20U;

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

Result<void> CountUrl(const std::string& url, SeriesCount& count) {
  if (url.starts_with("https://")) {
    return Fail("cannot speak TLS; pipe it: curl -s URL | sched_exporter top-series -");
  }
  return HttpGet(url, kTimeout, kMostBytes).and_then([&count](const std::string& body) {
    return count.Take(body);
  });
}

Result<void> Count(const std::string& source, SeriesCount& count) {
  if (source == "-") {
    return CountDescriptor(STDIN_FILENO, count);
  }
  const bool is_url = source.starts_with("http://") || source.starts_with("https://");
  return is_url ? CountUrl(source, count) : CountFile(source, count);
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

int RunTopSeriesCommand(const TopSeriesRequest& request, const std::string& listen_address,
                        const std::string& telemetry_path) {
  const Result<std::string> source =
      request.source.empty() ? RunningExporterUrl(listen_address).map([&](const std::string& url) {
        return url + telemetry_path;
      })
                             : Result<std::string>(request.source);
  if (!source) {
    return Fatal(source.error());
  }
  SeriesCount count;
  const auto counted = Count(*source, count).and_then([&count] { return count.Finish(); });
  if (!counted) {
    // The client's errors name the URL already.
    const std::string& reason = counted.error().message;
    return Fatal(reason.starts_with("cannot get ")
                     ? counted.error()
                     : Error{"cannot count series of " + SourceName(*source) + ": " + reason});
  }
  const std::string text = TopSeriesText(count, request.count);
  const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return is_written ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

}  // namespace sched_exporter
