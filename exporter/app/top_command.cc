#include "exporter/app/top_command.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "exporter/app/live_pages.h"
#include "exporter/app/log.h"
#include "exporter/app/terminal.h"
#include "exporter/app/terminal_text.h"
#include "exporter/app/top_screen.h"
#include "exporter/http/client.h"
#include "exporter/live/top_query.h"

namespace sched_exporter {
namespace {

/// A signal waits as long as the exporter does not answer.
constexpr std::chrono::seconds kTopTimeout{3};
constexpr std::size_t kTopBytes = std::size_t{16} << 20U;
constexpr std::size_t kRowsWithoutTerminal = 20;
constexpr std::size_t kHeadLines = 2;
/// An exporter that has just started has its first step after a second.
constexpr std::chrono::milliseconds kFirstStepPause{200};
constexpr int kFirstStepTries = 25;
/// What came in at the end of a step is there a moment later.
constexpr std::chrono::milliseconds kAfterStep{50};

/// The answer, without a count.
Result<WebTarget> TargetOf(const TopRequest& request, const RunningHere& here) {
  std::string url = request.url;
  if (url.find_first_of("?#") != std::string::npos) {
    return Fail("expected a URL like http://HOST:PORT, without ? and #");
  }
  while (url.ends_with('/')) {
    url.pop_back();
  }
  const std::string page =
      kTopPath + ("?view=" + request.view) + "&sort=" + request.sort + "&count=";
  return url.empty() ? TargetHere(here, page, request.web) : TargetAt(url + page, request.web);
}

class TopAsker {
 public:
  TopAsker(const TopRequest& request, WebTarget target)
      : request_(request), target_(std::move(target)) {}

  /// What fits on standard output now.
  Result<TopScreen> Get() const {
    const auto size = SizeOfTerminal();
    std::size_t rows = request_.count;
    if (rows == 0) {
      rows = size && size->rows > kHeadLines ? size->rows - kHeadLines : kRowsWithoutTerminal;
    }
    const std::string count = std::to_string(std::clamp<std::size_t>(rows, 1, kMostTopRows));
    const TopRoom room{size ? size->columns : 0, IsUtf8Locale()};
    return HttpGet(target_.url + count, kTopTimeout, kTopBytes, target_.options)
        .map_error([](const Error& error) {
          const bool is_off = error.message.find("404") != std::string::npos;
          return is_off ? Error{error.message + "; live.top is off in its config, or it is older"}
                        : error;
        })
        .and_then([&](const std::string& json) { return MakeTopScreen(json, room); });
  }

 private:
  const TopRequest& request_;
  WebTarget target_;
};

std::string Joined(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, lines.size()); ++i) {
    text.append(lines[i]).append("\n");
  }
  return text;
}

int PrintOnce(const TopAsker& top) {
  auto screen = top.Get();
  for (int i = 0; screen && !screen->has_step && i < kFirstStepTries; ++i) {
    std::this_thread::sleep_for(kFirstStepPause);
    screen = top.Get();
  }
  if (!screen) {
    return Fatal(screen.error());
  }
  const std::string text = Joined(screen->lines, screen->lines.size());
  const bool is_written = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return is_written ? EXIT_SUCCESS : Fatal({"cannot write to standard output"});
}

/// Steps of the exporter and these do not keep time with each other: a step may be seen late by the
/// time between two looks.
std::chrono::milliseconds PauseOf(const TopScreen& screen) {
  const std::chrono::duration<double> step(screen.has_step ? screen.next_s : 0.2);
  return std::chrono::duration_cast<std::chrono::milliseconds>(step) + kAfterStep;
}

int Follow(const TopAsker& top) {
  // The first answer decides whether there is anything to follow.
  auto screen = top.Get();
  if (!screen) {
    return Fatal(screen.error());
  }
  const auto terminal = FullScreen::Open();
  if (!terminal) {
    return Fatal(terminal.error());
  }
  std::vector<std::string> lines = screen->lines;
  std::chrono::milliseconds pause = PauseOf(*screen);
  while (true) {
    const auto size = SizeOfTerminal();
    if (!size || !terminal->Draw(Joined(lines, size->rows))) {
      return EXIT_SUCCESS;  // nobody sees it any more
    }
    if (terminal->Wait(pause) == FullScreen::Wish::kEnd) {
      return EXIT_SUCCESS;
    }
    screen = top.Get();
    if (screen) {
      lines = screen->lines;
      pause = PauseOf(*screen);
    } else {
      // The figures before stay: the exporter may come back.
      lines[0] = CutToColumns(TerminalText(screen.error().message), size->columns);
    }
  }
}

}  // namespace

int RunTopCommand(const TopRequest& request, const RunningHere& here) {
  const auto target = TargetOf(request, here);
  if (!target) {
    return Fatal(target.error());
  }
  const TopAsker top(request, *target);
  const bool follows = !request.once && SizeOfTerminal().has_value();
  return follows ? Follow(top) : PrintOnce(top);
}

}  // namespace sched_exporter
