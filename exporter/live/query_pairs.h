#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "exporter/base/result.h"

namespace sched_exporter {

/// Hands each parameter of a query ("a=1&b=x%20y") to `take`, which says whether it knows the name
/// and likes the value. Both are decoded as HTML forms encode them. Fails where the query is not
/// well-formed, a name is there twice, or `take` fails.
Result<void> ReadQuery(
    std::string_view query,
    const std::function<Result<void>(const std::string& name, const std::string& value)>& take);

/// Reads a number in digits, `min` to `max`.
Result<std::size_t> ReadNumber(const std::string& name, const std::string& value, std::size_t min,
                               std::size_t max);

/// A client's text in an answer: printable, and not long.
std::string ShortQuote(std::string_view text);

}  // namespace sched_exporter
