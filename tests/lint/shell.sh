#!/bin/bash
# Every shell script is clean by shellcheck.
set -euo pipefail
cd "$(dirname "$0")/../.."
find .ci/run deploy tests -path .ci/run -print0 -o -name '*.sh' -print0 |
  xargs -0 shellcheck --external-sources
