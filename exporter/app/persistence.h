#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "exporter/app/attach.h"
#include "exporter/app/totals_file.h"
#include "exporter/base/result.h"
#include "exporter/config/config.h"
#include "exporter/kernel/pins.h"

namespace sched_exporter {

/// What outlives the exporter: programs and maps that are pinned, and a file with the totals that
/// go with them. One without the other is of no use.
class Persistence {
 public:
  /// What a former exporter has left.
  struct Found {
    std::unique_ptr<Programs> programs;
    std::string totals;  ///< As it was given to Keep().
  };

  /// Makes the directories. Fails with one line where that can't be, or another exporter uses them.
  static Result<Persistence> Open(const PersistenceConfig& config);

  /// What there is to go on with, wanted or not: programs keep the options that they were loaded
  /// with, and the log says what differs from `wanted`. None where there is nothing, or nothing
  /// that this version can read, which the log tells, too.
  std::optional<Found> Find(const ProgramOptions& wanted);

  /// Nothing goes on: `programs`, loaded anew, are those to outlive this process.
  Result<void> Begin(Programs& programs);

  /// Replaces the totals.
  Result<void> Keep(std::string_view totals) const { return file_.Write(instance_, totals); }

  /// Removes everything. False where there was nothing.
  bool Remove() const;

 private:
  Persistence(Pins pins, TotalsFile file) : pins_(std::move(pins)), file_(std::move(file)) {}
  Result<Found> Adopt(const abi_layout& layout);

  Pins pins_;
  TotalsFile file_;
  std::uint64_t instance_ = 0;
};

}  // namespace sched_exporter
