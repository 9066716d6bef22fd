#!/bin/bash
# Installs what is missing, builds the exporter and runs it with the given flags.
#   deploy/run.sh [flags of sched_exporter]
set -euo pipefail
root=$(dirname "$(dirname "$(readlink -f "$0")")")
# shellcheck source=deploy/packages.sh
source "$root/deploy/packages.sh"

need_root "loads BPF programs"
install_missing "${build_packages[@]}"
use_ccache
# Flags may name files from where we were called, so only the build goes to the source tree.
build() {
  cd "$root" || return
  # A build tree that tests/run.sh has made stays as it is; a new one does without the tests.
  if [[ ! -e build/release/build.ninja ]]; then
    cmake --preset release -DSCHED_EXPORTER_TESTS=OFF || return
  fi
  cmake --build --preset release --target sched_exporter
}
(build) </dev/null >&2 || fail "the build failed; its output is above"
exec "$root/build/release/sched_exporter" "$@"
