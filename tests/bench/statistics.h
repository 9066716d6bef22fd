#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace sched_exporter::test_support {

/// Several readings of one figure.
struct Spread {
  double median = 0;
  double lower = 0;  ///< A quarter of the readings is below.
  double upper = 0;  ///< A quarter is above.
  double least = 0;
  double most = 0;
};

/// The value with `quantile` (0 to 1) of the others below it; 0 of no values.
inline double Quantile(std::vector<double> values, double quantile) {
  if (values.empty()) {
    return 0;
  }
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(static_cast<double>(values.size()) * quantile);
  return values[std::min(at, values.size() - 1)];
}

inline Spread SpreadOf(const std::vector<double>& values) {
  return {Quantile(values, 0.5), Quantile(values, 0.25), Quantile(values, 0.75),
          Quantile(values, 0), Quantile(values, 1)};
}

/// Whether the command line asks for a short run, which shows that all works and no more.
inline bool IsQuick(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* argument) { return std::strcmp(argument, "--quick") == 0; });
}

}  // namespace sched_exporter::test_support
