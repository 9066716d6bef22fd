#pragma once

#include <cstddef>
#include <string>

namespace sched_exporter {

/// What to show.
struct TopRequest {
  std::string url;             ///< Of an exporter; empty: the one that runs here.
  std::string view = "group";  ///< As the parameter of /api/v1/top, and the next.
  std::string sort = "cpu";
  std::size_t count = 0;  ///< Rows; 0: as many as fit, and 20 where there is no terminal.
  bool once = false;
};

/// `sched_exporter top`: prints what /api/v1/top of a running exporter says; in a terminal again at
/// each step, until Ctrl-C or q. Returns the exit code.
int RunTopCommand(const TopRequest& request, const std::string& listen_address);

}  // namespace sched_exporter
