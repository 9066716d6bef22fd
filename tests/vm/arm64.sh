# shellcheck shell=bash disable=SC2034,SC2154
# The build for arm64 on another machine: Debian's cross compiler, and a root of the libraries that the project is built
# with, made of packages of the release that this machine has. Sourced by run.sh; $cache is where the root is kept.

readonly sysroot=$cache/sysroot

# On the machine that builds, for the guests and the build.
arm64_packages=(
  g++-aarch64-linux-gnu
  qemu-system-arm
)

# download_libraries DIRECTORY: with all that they depend on, as there is nothing in the root yet.
download_libraries() {
  local package packages=(busybox-static libc6-dev libgmock-dev libgtest-dev) release
  for package in "${build_packages[@]}"; do
    [[ $package != *-dev ]] || packages+=("$package")
  done
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  begin_apt "$1" arm64 "$release" || return 1
  "${apt[@]}" apt-get -q -y --no-install-recommends --download-only install "${packages[@]}" >>"$1/apt/log" 2>&1
}

# unpack_libraries ROOT PACKAGE...: where /lib and its like are links into /usr, as they are on this machine.
# Links that begin at the root of the file system end in ROOT then.
unpack_libraries() {
  local root=$1 directory package link target
  shift
  mkdir -p "$root/usr"/{bin,lib,sbin}
  for directory in bin lib sbin; do
    ln -s "usr/$directory" "$root/$directory"
  done
  for package; do
    dpkg-deb --fsys-tarfile "$package" | tar --extract --keep-directory-symlink --directory "$root"
  done
  while IFS= read -r -d '' link; do
    target=$root$(readlink "$link")
    [[ ! -e $target ]] || ln --symbolic --relative --force --no-dereference "$target" "$link"
  done < <(find "$root" -type l -lname '/*' -print0)
}

# make_sysroot: once.
make_sysroot() {
  [[ ! -d $sysroot ]] || return 0
  rm -rf "$sysroot.new"
  mkdir -p "$sysroot.new"
  download_libraries "$sysroot.new" || fail "cannot get libraries of arm64: see $sysroot.new/apt/log"
  unpack_libraries "$sysroot.new" "$sysroot.new"/apt/cache/archives/*.deb
  rm -rf "$sysroot.new/apt"
  mv "$sysroot.new" "$sysroot"
}

# build_arm64 DIRECTORY
build_arm64() {
  make_sysroot
  cmake -S . -B "$1" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$PWD/tests/vm/arm64.cmake" \
    -DSCHED_EXPORTER_SYSROOT="$sysroot" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSCHED_EXPORTER_BENCH=OFF >/dev/null
  cmake --build "$1" --target kernel_tests
}
