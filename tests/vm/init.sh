#!/bin/busybox sh
# shellcheck shell=dash
# The first program of the guest: makes a system of it, runs the kernel suite with what the host has written into
# /arguments, and powers off. All that it says goes to the serial console.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
# Both hierarchies, so that the tests of both run.
mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/cpuacct
mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified
mount -t cgroup -o cpuacct cgroup /sys/fs/cgroup/cpuacct
# The exporter and its scrapes; there is no other network.
ip link set lo up

# shellcheck source=/dev/null
. /arguments
echo "vm: kernel $(uname -r) of $(uname -v)"
cd /tmp || exit
# shellcheck disable=SC2154 # they are in there
"$suite" --gtest_color=no --gtest_filter="$filter"
echo "vm: ended with $?"
sync
poweroff -f
