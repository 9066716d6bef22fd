# shellcheck shell=bash disable=SC2034,SC2154
# The guests: their file system and their machine. Sourced by run.sh; $cache is where they are kept.

# can_use_kvm: with the processor's own means for it. There are virtual machines with a /dev/kvm that starts small
# programs and never gets to the end of a kernel's boot; they have none.
can_use_kvm() {
  [[ -w /dev/kvm ]] && grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo
}

# of_architecture ARCHITECTURE: sets where the build for it is, the libraries and the busybox it runs with, the prefix
# of its binutils, and how its machine begins. The mitigations of processors' faults cost an emulated one most of its
# time. x86-64 without cmpxchg16b, after which QEMU 7.2 has other flags now and then: kernels fell over in kmalloc()
# at it.
of_architecture() {
  case $1 in
    amd64)
      build=$PWD/build/release
      libraries=(/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu)
      busybox=/bin/busybox
      binutils=''
      machine=(qemu-system-x86_64 -accel "$accelerator" -cpu 'max,-cx16')
      console=ttyS0
      ;;
    arm64)
      build=$PWD/build/arm64
      libraries=("$sysroot/usr/lib/aarch64-linux-gnu")
      busybox=$sysroot/bin/busybox
      binutils=aarch64-linux-gnu-
      machine=(qemu-system-aarch64 -accel "$emulated_arm64" -machine virt -cpu cortex-a72)
      console=ttyAMA0
      ;;
  esac
}

# find_library NAME
find_library() {
  local directory
  for directory in "${libraries[@]}"; do
    [[ ! -e $directory/$1 ]] || { echo "$directory/$1" && return; }
  done
  fail "no $1 in ${libraries[*]}"
}

# libraries_of FILE...: what they need, and what that needs.
libraries_of() {
  local -A known=()
  local files=("$@") file name
  while [[ ${#files[@]} -gt 0 ]]; do
    file=${files[0]}
    files=("${files[@]:1}")
    while read -r name; do
      [[ -z ${known[$name]:-} ]] || continue
      known[$name]=$(find_library "$name")
      files+=("${known[$name]}")
    done < <(readelf --dynamic "$file" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
  done
  printf '%s\n' "${known[@]}"
}

# interpreter_of FILE: the path of the dynamic loader that it asks for.
interpreter_of() {
  readelf --program-headers "$1" | sed -nE 's/.*program interpreter: (.*)\]/\1/p'
}

# initramfs_of ARCHITECTURE
initramfs_of() {
  echo "$cache/initramfs-$1"
}

# make_initramfs ARCHITECTURE: the suite, and the programs that it starts, at their places on the host, which
# it knows by these paths.
make_initramfs() {
  local root programs=() name library loader file
  local build libraries busybox binutils machine console
  of_architecture "$1"
  file=$(initramfs_of "$1")
  root=$(mktemp -d -p "$cache")
  mkdir -p "$root"/{bin,dev,etc,lib,proc,sys,tmp}
  for name in sched_exporter tests/kernel_tests tests/test_child tests/test_starter; do
    programs+=("$build/$name")
    mkdir -p "$root$(dirname "$build/$name")"
    "${binutils}strip" -o "$root$build/$name" "$build/$name"
  done
  while read -r library; do
    cp --dereference "$library" "$root/lib/"
  done < <(libraries_of "${programs[@]}")
  loader=$(interpreter_of "$build/tests/kernel_tests")
  mkdir -p "$root$(dirname "$loader")"
  [[ -e $root$loader ]] || mv "$root/lib/$(basename "$loader")" "$root$loader"
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  cp "$busybox" "$root/bin/busybox"
  cp tests/vm/init.sh "$root/init"
  chmod 755 "$root/init"
  printf "suite='%s'\nfilter='%s'\nexport SCHED_EXPORTER_TEST_LOAD='%s'\n" \
    "$build/tests/kernel_tests" "$filter" "$load_percent" >"$root/arguments"
  (cd "$root" && find . | cpio --quiet --create --format=newc --owner=0:0) >"$file.new"
  mv "$file.new" "$file"
  rm -rf "$root"
}

# start_machine NAME
start_machine() {
  local directory=$cache/$1 guest
  local architecture suite package
  local build libraries busybox binutils machine console
  kernel_named "$1"
  of_architecture "$architecture"
  machine+=(-nodefaults -display none -serial stdio -nic none -no-reboot -m 1024 -smp 2
    -kernel "$directory/vmlinuz" -initrd "$(initramfs_of "$architecture")"
    -append "console=$console loglevel=6 panic=-1 softlockup_panic=1 mitigations=off")
  rm -f "$directory/silent"
  timeout --kill-after=5 "$limit_s" "${machine[@]}" </dev/null >"$directory/console" 2>>"$directory/qemu.log" &
  guest=$!
  while sleep 1 && kill -0 "$guest" 2>/dev/null; do
    if (($(date +%s) - $(stat --format=%Y "$directory/console") > silence_s)); then
      echo "it said nothing for $silence_s s" >>"$directory/qemu.log"
      touch "$directory/silent"
      kill "$guest"
    fi
  done
  wait "$guest"
}

# fell_over DIRECTORY: QEMU 7.2 has an emulated processor run code that another one just changes, as kernels do
# when a tracepoint is switched on, and one boot in many ends in a panic of the kernel, or stands still, which the
# kernel's watchdog makes a panic, too.
fell_over() {
  [[ $accelerator == "$emulated" ]] && { [[ -e $1/silent ]] || grep -qa 'Kernel panic' "$1/console"; }
}

# boot NAME: one guest until it powers off or its time is over; what it says goes to $cache/NAME/console. Where it
# fell over there are two more boots: what is not by chance it does each time.
boot() {
  local directory=$cache/$1 begin=$SECONDS tries=0 status
  rm -f "$directory/qemu.log"
  while [[ $tries -lt 3 ]]; do
    status=0
    start_machine "$1" || status=$?
    [[ $status -ne 124 ]] || echo "it was ended after $limit_s s" >>"$directory/qemu.log"
    fell_over "$directory" || break
    tries=$((tries + 1))
    cp "$directory/console" "$directory/console.failure$tries"
    echo "$1: its kernel fell over, which it may do where it is emulated (console.failure$tries)" >&2
  done
  echo "$((SECONDS - begin))" >"$directory/seconds"
}
