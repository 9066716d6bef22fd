#pragma once

#include <cstddef>

#include "exporter/model/lifecycle.h"

namespace sched_exporter {

/// Adds lifecycles up while it holds the series by exit code, and those by errno, of all sums
/// together to a number: codes beyond it are counted as kOtherCode.
class CodeSeries {
 public:
  void AddTo(Lifecycle& sum, const Lifecycle& addition, std::size_t max_codes);

  /// A sum is no more.
  void Release(const Lifecycle& sum);

  /// Everything that is remembered; base/archive.h.
  template <typename Archive>
  void serialize(Archive& archive) {
    archive(exits_, failures_);
  }

 private:
  std::size_t exits_ = 0;
  std::size_t failures_ = 0;
};

}  // namespace sched_exporter
