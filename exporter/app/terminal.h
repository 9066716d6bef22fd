#pragma once

#include <termios.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <string>

#include "exporter/base/result.h"
#include "exporter/base/unique_fd.h"

namespace sched_exporter {

/// How large the terminal of standard output is; none where it is no terminal, or has no size.
struct TerminalSize {
  std::size_t columns = 0;
  std::size_t rows = 0;
};
std::optional<TerminalSize> SizeOfTerminal();

/// The locale of the environment says that texts are UTF-8.
bool IsUtf8Locale();

/// All of the terminal of standard output, for a program that draws again and again. What was on it
/// comes back with the end. Takes SIGINT, SIGTERM, SIGHUP and SIGWINCH meanwhile. One thread.
class FullScreen {
 public:
  enum class Wish { kNothing, kRedraw, kEnd };

  static Result<FullScreen> Open();
  ~FullScreen();
  FullScreen(FullScreen&& other) noexcept;
  FullScreen& operator=(FullScreen&&) = delete;
  FullScreen(const FullScreen&) = delete;
  FullScreen& operator=(const FullScreen&) = delete;

  /// Puts lines in place of all that was there; false where the terminal is gone.
  bool Draw(const std::string& lines) const;

  /// Waits for a signal or for "q", no longer than `time`.
  Wish Wait(std::chrono::milliseconds time) const;

 private:
  FullScreen() = default;

  UniqueFd signals_;
  sigset_t former_mask_{};
  std::optional<termios> former_input_;
  bool is_open_ = false;
};

}  // namespace sched_exporter
