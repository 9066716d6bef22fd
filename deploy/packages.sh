# shellcheck shell=bash disable=SC2034
# Debian packages that the project needs, and how to install what is missing of them. Sourced by
# deploy/run.sh and tests/run.sh; $0 is the name in messages.

build_packages=(
  bpftool
  clang
  cmake
  g++
  libcap-ng-dev
  libcereal-dev
  libcivetweb-dev
  libcli11-dev
  libelf-dev
  libexpected-dev
  libfmt-dev
  libre2-dev
  libseccomp-dev
  libspdlog-dev
  libssl-dev
  libyaml-cpp-dev
  libbpf-dev
  linux-libc-dev
  ninja-build
  nlohmann-json3-dev
  pkg-config
  prometheus-cpp-dev
  zlib1g-dev
)

# Beside these, for `cpack -G DEB`.
package_packages=(
  dpkg-dev
  file
)

test_packages=(
  chromium
  chromium-driver
  clang-format-14
  clang-tidy-14
  curl
  debootstrap
  fish
  iproute2
  libbenchmark-dev
  libbpf-tools
  libcap2-bin
  libclang-rt-14-dev
  libgmock-dev
  libgtest-dev
  man-db
  openssl
  procps
  prometheus
  prometheus-process-exporter
  python3-prometheus-client
  shellcheck
  strace
  systemd
  util-linux
  valgrind
  zsh
)

# Beside build_packages, for tests/bench/run.sh: what the benchmarks are compiled with, and their peers.
bench_packages=(
  bpftrace
  libbpf-tools
  libgmock-dev
  libgtest-dev
  prometheus-process-exporter
)

# For tests/vm/run.sh: the machines, and what the systems in them are made of.
vm_packages=(
  busybox-static
  cpio
  debian-archive-keyring
  qemu-system-x86
)

# Programs that tests need and that many a machine has from elsewhere: PROGRAM=PACKAGE.
test_programs=(
  node=nodejs
  npm=npm
)

# packages_of PROGRAM=PACKAGE...: the packages of those programs that are missing.
packages_of() {
  local pair
  for pair; do
    command -v "${pair%%=*}" >/dev/null || echo "${pair#*=}"
  done
}

# fail LINE: the one line that tells what is wrong, then the end.
fail() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  exit 1
}

# need_root WHAT
need_root() {
  [[ $EUID -eq 0 ]] || fail "$1; run it as root or with sudo"
}

is_installed() {
  local state
  state=$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) || return 1
  [[ $state == installed ]]
}

# Packages of daemons start them when they are installed. This keeps them from it, as
# invoke-rc.d(8) and deb-systemd-invoke(1) ask it first, and from the next boot.
readonly policy_file=/usr/sbin/policy-rc.d

# install_missing PACKAGE...: asks apt only where something is missing.
install_missing() {
  local missing=() package log reason status=0
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "needs Debian 12 or a system like it (no apt-get and dpkg-query here)"
  fi
  for package; do
    is_installed "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  need_root "cannot install ${missing[*]}"
  printf '%s: installing %s\n' "$(basename "$0")" "${missing[*]}" >&2
  log=$(mktemp)
  if [[ ! -e $policy_file ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy_file"
    chmod 755 "$policy_file"
    trap 'rm -f "$policy_file"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  # The update may fail for a source that nothing is needed from; the installation tells.
  apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >"$log" 2>&1 || true
  apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" \
    </dev/null >>"$log" 2>&1 || status=$?
  if [[ $status -ne 0 ]]; then
    reason=$(grep -m1 -E '^(Err|E):' "$log") || reason="apt-get ended with $status"
    fail "cannot install packages (is the network there?): $reason (all of it: $log)"
  fi
  rm -f "$log"
  if [[ -n $(trap -p EXIT) ]]; then
    rm -f "$policy_file"
    trap - EXIT
  fi
  for package in "${missing[@]}"; do
    if [[ $package == prometheus* && -d /run/systemd/system ]]; then
      systemctl --quiet disable "$package" 2>/dev/null || true
    fi
  done
}

# Compilers through ccache where it is installed; CMake reads these when a build tree is made.
use_ccache() {
  if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    export CCACHE_SLOPPINESS=pch_defines,time_macros  # as ccache wants it for precompiled headers
  fi
}
