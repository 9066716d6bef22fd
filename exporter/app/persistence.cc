#include "exporter/app/persistence.h"

#include <spdlog/spdlog.h>

#include <cstring>
#include <random>
#include <vector>

#include "exporter/app/version.h"

namespace sched_exporter {
namespace {

std::uint64_t RandomNumber() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

/// Why programs with this layout are none to go on with; empty: they are.
std::string WhyNot(const abi_layout& layout, const ProgramOptions& wanted) {
  if (layout.layout != ABI_LAYOUT || layout.size != sizeof(layout)) {
    return "their records have layout " + std::to_string(layout.layout) +
           ", and this version has " + std::to_string(ABI_LAYOUT);
  }
  const auto cpus = CountPossibleCpus();
  if (cpus && *cpus != layout.cpu_count) {
    return "they are for " + std::to_string(layout.cpu_count) + " CPUs, and there are " +
           std::to_string(*cpus);
  }
  if (layout.hierarchy != wanted.hierarchy || layout.hierarchy_id != wanted.hierarchy_id) {
    return "they count by another hierarchy of cgroups";
  }
  return {};
}

/// The keys of the config that the programs at work do not follow.
std::vector<std::string> DifferingKeys(const ProgramOptions& is, const ProgramOptions& wanted) {
  std::vector<std::string> keys;
  const auto check = [&keys](bool same, const char* key) {
    if (!same) {
      keys.emplace_back(key);
    }
  };
  check(is.tasks == wanted.tasks, "maps.tasks");
  check(is.events_bytes >= wanted.events_bytes, "maps.events_bytes");
  check(is.sums == wanted.sums, "maps.sums");
  check(is.cgroups == wanted.cgroups, "maps.cgroups");
  check(is.distributions == wanted.distributions, "histograms");
  check(is.arguments_bytes >= wanted.arguments_bytes, "events.arguments_bytes");
  check(is.exec_failures == wanted.exec_failures, "events.exec_failures");
  return keys;
}

}  // namespace

Result<Persistence> Persistence::Open(const PersistenceConfig& config) {
  auto file = TotalsFile::Open(config.directory);
  if (!file) {
    return tl::unexpected(file.error());
  }
  auto pins = Pins::Open(config.pin_directory);
  if (!pins) {
    return tl::unexpected(pins.error());
  }
  return Persistence(std::move(*pins), std::move(*file));
}

std::optional<Persistence::Found> Persistence::Find(const ProgramOptions& wanted) {
  const abi_layout layout = pins_.ReadLayout();
  if (layout.layout == 0) {
    return std::nullopt;
  }
  const std::string why_not = WhyNot(layout, wanted);
  auto found = why_not.empty() ? Adopt(layout) : Result<Found>(Fail(why_not));
  if (!found) {
    spdlog::warn("all counters begin at 0: cannot go on with what is pinned in {}: {}",
                 pins_.directory(), found.error().message);
    return std::nullopt;
  }
  for (const std::string& key : DifferingKeys(found->programs->options(), wanted)) {
    spdlog::warn(
        "{} differs from what the pinned programs were loaded with; it takes effect after "
        "`sched_exporter detach`",
        key);
  }
  spdlog::info("goes on with the programs that sched_exporter {} has pinned in {}",
               std::string(layout.version, strnlen(layout.version, sizeof(layout.version))),
               pins_.directory());
  return std::move(*found);
}

Result<Persistence::Found> Persistence::Adopt(const abi_layout& layout) {
  auto totals = file_.Read(layout.instance);
  if (!totals) {
    return tl::unexpected(totals.error());
  }
  auto programs = Programs::Adopt(pins_, layout);
  if (!programs) {
    return tl::unexpected(programs.error());
  }
  instance_ = layout.instance;
  return Found{std::move(*programs), std::move(*totals)};
}

Result<void> Persistence::Begin(Programs& programs) {
  instance_ = RandomNumber();
  return programs.Pin(pins_, instance_, kVersion);
}

bool Persistence::Remove() const {
  const bool had_pins = pins_.Remove();
  return file_.Remove() || had_pins;
}

}  // namespace sched_exporter
