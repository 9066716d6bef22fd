#include "exporter/app/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>

#include "exporter/app/terminal_text.h"
#include "exporter/base/text.h"

namespace sched_exporter {
namespace {

/// The message, quoted: a process's name in it can't forge a line.
class QuotedMessage : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& to) override {
    const std::string quoted = Quote({message.payload.data(), message.payload.size()});
    to.append(quoted.data(), quoted.data() + quoted.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<QuotedMessage>();
  }
};

/// The level as the flag calls it: spdlog says "warning".
class LevelName : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& to) override {
    const auto name = message.level == spdlog::level::warn
                          ? spdlog::string_view_t("warn")
                          : spdlog::level::to_string_view(message.level);
    to.append(name.data(), name.data() + name.size());
  }

  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }
};

}  // namespace

std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  // PrintableText leaves no control characters and only valid UTF-8; its backslashes are doubled
  // here, so that a reader of JSON gets its text back.
  for (const char byte : PrintableText(text)) {
    if (byte == '"' || byte == '\\') {
      quoted += '\\';
    }
    quoted += byte;
  }
  return quoted + '"';
}

void SetUpLog(const std::string& level, const std::string& format) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<QuotedMessage>('Q').add_flag<LevelName>('L');
  formatter->set_pattern(format == "json"
                             ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%L","msg":%Q})"
                             : "time=%Y-%m-%dT%H:%M:%S.%eZ level=%L msg=%Q");
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("sched_exporter", std::move(sink));
  logger->set_formatter(std::move(formatter));
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

void LogNotReloaded(std::string_view what, const Error& error) {
  std::istringstream findings(error.message);
  for (std::string finding; std::getline(findings, finding);) {
    spdlog::error("{} not reloaded, the old one holds: {}", what, finding);
  }
}

int Fatal(const Error& error) {
  spdlog::debug("{}", error.details);
  std::fprintf(stderr, "sched_exporter: %s\n", TerminalLines(error.message).c_str());
  return EXIT_FAILURE;
}

}  // namespace sched_exporter
