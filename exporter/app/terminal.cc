#include "exporter/app/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include "exporter/base/write_all.h"

namespace sched_exporter {
namespace {

// ECMA-48 and xterm's private modes: another screen, without a cursor, and back.
constexpr char kEnter[] = "\x1b[?1049h\x1b[?25l";
constexpr char kLeave[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kClearLine[] = "\x1b[K";
constexpr char kClearRest[] = "\x1b[J";

sigset_t TakenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    sigaddset(&signals, signal);
  }
  return signals;
}

}  // namespace

std::optional<TerminalSize> SizeOfTerminal() {
  winsize size{};
  const bool is_known = ::isatty(STDOUT_FILENO) == 1 &&
                        ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
                        size.ws_row > 0;
  return is_known ? std::optional<TerminalSize>({size.ws_col, size.ws_row}) : std::nullopt;
}

bool IsUtf8Locale() {
  for (const char* const name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      return ::strcasestr(value, "utf-8") != nullptr || ::strcasestr(value, "utf8") != nullptr;
    }
  }
  return false;
}

Result<FullScreen> FullScreen::Open() {
  FullScreen screen;
  const sigset_t taken = TakenSignals();
  ::pthread_sigmask(SIG_BLOCK, &taken, &screen.former_mask_);
  screen.is_open_ = true;
  screen.signals_ = UniqueFd(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!screen.signals_.valid()) {
    return Fail(WithErrno("cannot make a signalfd", errno));
  }
  termios input{};
  if (::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &input) == 0) {
    screen.former_input_ = input;
    input.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &input);
  }
  WriteAll(STDOUT_FILENO, kEnter);
  return screen;
}

FullScreen::FullScreen(FullScreen&& other) noexcept
    : signals_(std::move(other.signals_)),
      former_mask_(other.former_mask_),
      former_input_(std::exchange(other.former_input_, std::nullopt)),
      is_open_(std::exchange(other.is_open_, false)) {}

FullScreen::~FullScreen() {
  if (!is_open_) {
    return;
  }
  WriteAll(STDOUT_FILENO, kLeave);
  if (former_input_) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*former_input_);
  }
  // A Ctrl-C that is pending has had its effect.
  signalfd_siginfo pending{};
  while (signals_.valid() && ::read(signals_.get(), &pending, sizeof(pending)) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

bool FullScreen::Draw(const std::string& lines) const {
  std::string text = kHome;
  std::string_view rest = lines;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
    // Cleared first: behind a line that fills the terminal, its last character would go.
    text.append(kClearLine).append(line).append(rest.empty() ? "" : "\n");
  }
  return WriteAll(STDOUT_FILENO, text + kClearRest);
}

FullScreen::Wish FullScreen::Wait(std::chrono::milliseconds time) const {
  const bool has_keys = former_input_.has_value();
  std::array<pollfd, 2> fds{
      {{signals_.get(), POLLIN, 0}, {has_keys ? STDIN_FILENO : -1, POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), static_cast<int>(time.count())) <= 0) {
    return Wish::kNothing;
  }
  signalfd_siginfo taken{};
  if (::read(signals_.get(), &taken, sizeof(taken)) == static_cast<ssize_t>(sizeof(taken))) {
    return taken.ssi_signo == SIGWINCH ? Wish::kRedraw : Wish::kEnd;
  }
  char key = 0;
  if (fds[1].revents != 0) {
    const ssize_t count = ::read(STDIN_FILENO, &key, 1);
    return count <= 0 || key == 'q' || key == 'Q' ? Wish::kEnd : Wish::kRedraw;
  }
  return Wish::kNothing;
}

}  // namespace sched_exporter
