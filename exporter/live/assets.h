#pragma once

#include <span>
#include <string_view>

namespace sched_exporter {

/// A file of the live page, as it is in exporter/live/assets.
struct Asset {
  std::string_view name;  ///< "app.js"
  std::string_view body;
};

/// All of them, by name; they live as long as the program.
std::span<const Asset> LiveAssets();

}  // namespace sched_exporter
