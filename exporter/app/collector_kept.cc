// What the collector leaves to the next one.

#include <spdlog/spdlog.h>

#include <exception>
#include <istream>
#include <ostream>
#include <streambuf>
#include <string_view>

#include "exporter/app/collector.h"
#include "exporter/base/archive.h"

namespace sched_exporter {
namespace {

/// Appends to a string whose memory is used again.
class StringSink : public std::streambuf {
 public:
  explicit StringSink(std::string& text) : text_(text) { text_.clear(); }

 protected:
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    text_.append(bytes, static_cast<std::size_t>(count));
    return count;
  }
  int_type overflow(int_type byte) override {
    text_.push_back(static_cast<char>(byte));
    return byte;
  }

 private:
  std::string& text_;
};

/// Reads a text in place.
class TextSource : public std::streambuf {
 public:
  explicit TextSource(const std::string& text) {
    char* const begin = const_cast<char*>(text.data());
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

Result<void> Collector::OpenPersistence() {
  if (!config_.persistence.enabled) {
    return {};
  }
  auto opened = Persistence::Open(config_.persistence);
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  persistence_.emplace(std::move(*opened));
  return {};
}

/// Goes on where the exporter before this one was. False where that can't be; the log tells why.
bool Collector::TakeOver(const Wanted& wanted) {
  auto found = persistence_->Find(wanted.options);
  if (!found) {
    return false;
  }
  LogShortcomings(*found->programs);
  if (auto built = Build({std::move(found->programs), nullptr, wanted.cgroup_mount}); !built) {
    spdlog::warn("all counters begin at 0: {}", built.error().message);
    return false;
  }
  return Remember(found->totals);
}

bool Collector::Remember(const std::string& totals) try {
  TextSource source(totals);
  std::istream stream(&source);
  LoadingArchive archive(stream);
  if (!source_->Load(archive)) {
    spdlog::warn("all counters begin at 0: totals in {} are older than what the kernel has",
                 config_.persistence.directory);
    return false;
  }
  ledger_->Load(archive);
  naming_->Load(archive);
  archive(book_, known_losses_, stats_.since_ns, stats_.collections, stats_.collection_errors,
          before_.torn_entries, before_.incomplete_walks, before_.rule_evaluations,
          before_.event_lines, stats_.keep_errors);
  ledger_->set_constant_groups(naming_->ConstantGroups());
  return true;
} catch (const std::exception& error) {
  spdlog::warn("all counters begin at 0: totals in {} cannot be read: {}",
               config_.persistence.directory, error.what());
  return false;
}

/// What the exporter counts of itself, by this process and those before it.
ExporterStats Collector::OwnCounts() const {
  ExporterStats own = stats_;
  const SourceStats& source = source_->stats();
  own.torn_entries = before_.torn_entries + source.torn;
  own.incomplete_walks = before_.incomplete_walks + source.incomplete_walks;
  own.rule_evaluations = before_.rule_evaluations + naming_->rule_evaluations();
  own.event_lines = before_.event_lines + (stream_ != nullptr ? stream_->stats().written : 0);
  return own;
}

/// The totals of a sweep, before anybody is told of them; then the kernel may forget what is in
/// them. Where they can't be written, the kernel must forget all the same: a next exporter that
/// finds older totals notices that.
void Collector::Keep() {
  const std::uint64_t begun_ns = BoottimeNs();
  {
    StringSink sink(kept_);
    std::ostream stream(&sink);
    SavingArchive archive(stream);
    source_->Save(archive);
    ledger_->Save(archive);
    naming_->Save(archive);
    const ExporterStats own = OwnCounts();
    archive(book_, known_losses_, own.since_ns, own.collections, own.collection_errors,
            own.torn_entries, own.incomplete_walks, own.rule_evaluations, own.event_lines,
            own.keep_errors);
  }
  const auto kept = persistence_->Keep(kept_);
  if (!kept) {
    ++stats_.keep_errors;
    if (!keeping_fails_) {
      spdlog::error("{}; after a restart all counters will begin at 0", kept.error().message);
    }
  } else if (keeping_fails_) {
    spdlog::info("totals are kept again");
  }
  keeping_fails_ = !kept;
  source_->Release();
  stats_.keeps_totals = true;
  stats_.kept_bytes = kept_.size();
  stats_.keep_ns = BoottimeNs() - begun_ns;
}

}  // namespace sched_exporter
