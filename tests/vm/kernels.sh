# shellcheck shell=bash disable=SC2034,SC2154
# Which kernels there are, and how they are had: from the mirror that apt uses here, with a state of apt's own, unpacked
# and not installed. Sourced by run.sh; $cache is where they are kept.

# NAME ARCHITECTURE SUITE PACKAGE: packages as grep -E has them, the one with the highest version is taken. From 6.19 on
# the image is in linux-binary-*. Cloud kernels have all built in that the tests need.
kernels=(
  '5.10 amd64 bullseye-security linux-image-5\.10\.0-[0-9]+-cloud-amd64-unsigned'
  '6.1 amd64 bookworm linux-image-6\.1\.0-[0-9]+-cloud-amd64-unsigned'
  '6.12 amd64 trixie linux-image-6\.12\.[0-9]+\+deb13-cloud-amd64-unsigned'
  'newest amd64 sid linux-binary-[0-9][0-9.]*\+deb[0-9]+-cloud-amd64'
  '6.1-arm64 arm64 bookworm linux-image-6\.1\.0-[0-9]+-cloud-arm64-unsigned'
  '6.12-arm64 arm64 trixie linux-image-6\.12\.[0-9]+\+deb13-cloud-arm64-unsigned'
)

readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
readonly most_days=7 # then the mirror is asked for a newer one

# kernels_of ARCHITECTURE: their names.
kernels_of() {
  local line name architecture rest
  for line in "${kernels[@]}"; do
    read -r name architecture rest <<<"$line"
    [[ $architecture != "$1" ]] || echo "$name"
  done
}

# kernel_named NAME: sets architecture, suite and package; fails where there is none.
kernel_named() {
  local line name
  for line in "${kernels[@]}"; do
    read -r name architecture suite package <<<"$line"
    [[ $name != "$1" ]] || return 0
  done
  return 1
}

# mirror_of LABEL: the address of Debian's archive by this label in apt's sources.
mirror_of() {
  # shellcheck disable=SC2016 # it is apt's variable
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Label: $1" | sed -n 1p
}

# mirror_for SUITE: security has an archive of its own, mostly beside the other one.
mirror_for() {
  local main security
  main=$(mirror_of Debian)
  [[ -n $main ]] || fail "apt has no sources of Debian here"
  if [[ $1 != *-security ]]; then
    echo "$main"
    return
  fi
  security=$(mirror_of Debian-Security)
  echo "${security:-${main%/}-security/}"
}

# begin_apt DIRECTORY ARCHITECTURE SUITE: a state of apt for them; `apt` is how to call its programs with it.
begin_apt() {
  local state=$1/apt architecture=$2 suite=$3
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  echo "deb [signed-by=$keyring] $(mirror_for "$suite") $suite main" >"$state/sources.list"
  cat >"$state/apt.conf" <<EOF
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::Cache "$state/cache";
Dir::Etc::sourcelist "$state/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$state";
Dir::State::lists "$state/lists";
Dir::State::status "/dev/null";
EOF
  apt=(env "APT_CONFIG=$state/apt.conf")
  "${apt[@]}" apt-get -q update >"$state/log" 2>&1
}

# unpack_newest DIRECTORY: vmlinuz of the newest of the packages that the mirror really has: an index may be ahead.
unpack_newest() {
  local directory=$1 name image
  while read -r name; do
    rm -rf "$directory/deb"
    mkdir "$directory/deb"
    (cd "$directory/deb" && "${apt[@]}" apt-get -q download "$name") >>"$directory/apt/log" 2>&1 || continue
    dpkg-deb --extract "$directory"/deb/*.deb "$directory/deb/root"
    image=$(find "$directory/deb/root" -name 'vmlinuz*' -type f | sed -n 1p)
    [[ -n $image ]] || continue
    mv "$image" "$directory/vmlinuz"
    touch "$directory/vmlinuz"
    rm -rf "$directory/deb"
    return 0
  done < <("${apt[@]}" apt-cache pkgnames linux- | grep -E -x "$package" | sort -rV)
  return 1
}

# get_kernel NAME: makes $cache/NAME/vmlinuz, which is asked for anew after some days, and kept where that fails.
get_kernel() {
  local directory=$cache/$1
  local architecture suite package
  kernel_named "$1" || fail "no kernel $1; there are $(printf '%s ' "${kernels[@]%% *}")"
  [[ -z $(find "$directory/vmlinuz" -mtime "-$most_days" 2>/dev/null) ]] || return 0
  if (begin_apt "$directory" "$architecture" "$suite" && unpack_newest "$directory"); then
    return 0
  fi
  [[ -s $directory/vmlinuz ]] || fail "cannot get the kernel $1 (is the network there?): see $directory/apt/log"
  echo "$1: the mirror has no newer one, or does not answer; see $directory/apt/log" >&2
}
