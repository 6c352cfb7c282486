#!/usr/bin/env bash
# The emulated Pi, 1 of 3: fetches its parts, and prints the folder that contains them.
#
#   fetch.sh                    Debian's arm64 kernel, busybox, v4l2-ctl and strace, into the cache folder
#   initramfs.sh [BINARY]       packs them, and BINARY as /bin/lancam, into an initramfs on standard output
#   run.sh MACHINE [BINARY] …   boots it: MACHINE is `virt` (with a network) or `raspi3b`
#
# The kernel is Debian's own with `vivid`, a real V4L2 driver whose camera is a test pattern (see README.md beside this
# file). Packages come from this machine's apt sources in any format, through a separate apt state: this machine's own
# packages do not change, except for the few tools below. Needs a Debian machine. If something is not available, exits with
# code 77 (skip) and prints the reason as the last line on stderr.
#
# LANCAM_RIG_CACHE names the cache folder (default: target/rig). Delete it to fetch everything again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cache=${LANCAM_RIG_CACHE:-$here/../../target/rig}

skip() { echo "$*" >&2; exit 77; }

# Runs apt for arm64 with separate sources, indexes and status.
private_apt() {
    local tool=$1
    shift
    "$tool" -q -o "Dir::State=$cache/apt" -o "Dir::State::status=$cache/apt/status" -o "Dir::Cache=$cache/apt" \
        -o "Dir::Etc::sourcelist=$cache/apt/sources.list" -o "Dir::Etc::sourceparts=$cache/apt/sources.list.d" \
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Install-Recommends=false \
        -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# Copies this machine's sources, without options that bind them to its architecture.
copy_sources() {
    mkdir -p "$cache"/apt/{lists,archives}/partial "$cache/apt/sources.list.d"
    : >"$cache/apt/status"
    cp /etc/apt/sources.list "$cache/apt/" 2>/dev/null || : >"$cache/apt/sources.list"
    cp /etc/apt/sources.list.d/*.{list,sources} "$cache/apt/sources.list.d/" 2>/dev/null || true
    find "$cache"/apt/sources.list* -type f -exec sed -i -E '/^Architectures:/d; s/\barch=[^] ]+//' {} +
}

# unpack FOLDER PACKAGE...: as on an installed Debian, /lib is a link to /usr/lib, because packages use either name.
unpack() {
    local package
    mkdir -p "$1/usr"/{bin,sbin,lib}
    ln -s usr/bin usr/sbin usr/lib "$1/"
    for package in "${@:2}"; do
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$1"
    done
}

fetch() {
    # One index may fail while a mirror is being updated. It only matters whether the packages can be fetched.
    private_apt apt-get update >&2 || echo "rig: apt-get update failed in part; going on" >&2
    local kernel
    kernel=$(private_apt apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-\)/\1/p') ||
        skip "no linux-image-arm64 from this machine's apt sources: offline, or not Debian's"

    # The kernel without its dependencies (they would build an initramfs), the tools with theirs.
    (cd "$cache/apt" && private_apt apt-get download "$kernel" >&2) || skip "cannot download $kernel"
    private_apt apt-get install -y --download-only busybox-static strace v4l-utils >&2 ||
        skip "cannot download busybox-static, strace and v4l-utils for arm64"

    unpack "$cache/sysroot" "$cache"/apt/archives/*.deb
    rm -r "$cache/sysroot/usr/share" "$cache"/sysroot/usr/lib/*/gconv
    unpack "$cache/kernel" "$cache/apt/$kernel"_*.deb
    local version=${kernel#linux-image-}
    ln -s "boot/vmlinuz-$version" "$cache/kernel/vmlinuz"
    cp "$cache/kernel/usr/lib/$kernel/broadcom/bcm2837-rpi-3-b.dtb" "$cache/kernel/"
    depmod -b "$cache/kernel" "$version"
    echo "$version" >"$cache/kernel/version"
    rm -r "$cache/apt"
}

PATH=$PATH:/usr/sbin:/sbin
command -v apt-get >/dev/null || skip "no apt-get to fetch Debian's arm64 kernel with"
mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
# Tests in parallel: the first one fetches, the others wait and find the files.
exec 9>"$cache/lock"
flock 9
"$here/../need.sh" qemu-system-aarch64:qemu-system-arm cpio:cpio depmod:kmod xz:xz-utils setpriv:util-linux >&2 || skip "cannot install QEMU for arm64, cpio, kmod and xz"
# The version is written last. Without it, the last fetch was interrupted.
if [ ! -e "$cache/kernel/version" ]; then
    rm -rf "$cache"/{apt,kernel,sysroot,base.cpio}
    copy_sources
    fetch
fi
echo "$cache"
