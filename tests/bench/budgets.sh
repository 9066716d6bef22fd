#!/bin/bash
# Prints a table of budgets.txt with what was measured and whether it holds. Always ends with 0: what one
# machine measures decides nothing.
#   budgets.sh FIGURES
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

awk -F '[|\t]' '
  BEGIN { print "| budget | bound | measured, median | quartiles | |\n|---|---|---|---|---|" }
  /^#/ { next }
  FILENAME == ARGV[1] { median[$1] = $2; lower[$1] = $3; upper[$1] = $4; next }

  # The largest figure over the smallest of those with such a name; "" where there are none.
  function spread(name, before, after, least, most, n) {
    before = substr(name, 1, index(name, "*") - 1)
    after = substr(name, index(name, "*") + 1)
    for (one in median)
      if (index(one, before) == 1 && substr(one, length(one) - length(after) + 1) == after) {
        if (!n++ || median[one] < least) least = median[one]
        if (n == 1 || median[one] > most) most = median[one]
      }
    return n > 1 ? most / least : ""
  }

  {
    unit = $5 == "" ? "" : " " $5
    value = $3 == "spread" ? spread($2) : ($2 in median ? median[$2] : "")
    quartiles = $2 in median ? sprintf("%.4g to %.4g", lower[$2], upper[$2]) : ""
    holds = $3 == ">" ? value + 0 >= $4 : value + 0 <= $4
    verdict = value == "" ? "not measured" : holds ? "holds" : "**does not hold**"
    printf "| %s | at %s %s%s | %s | %s | %s |\n", $1, $3 == ">" ? "least" : "most", $4, unit,
      value == "" ? "" : sprintf("%.4g%s", value, unit), quartiles, verdict
  }' "$1" "$here/budgets.txt"
