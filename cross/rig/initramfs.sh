#!/usr/bin/env bash
# The emulated Pi, 2 of 3: writes the initramfs to standard output. See fetch.sh.
#
#   initramfs.sh [BINARY] >initrd       BINARY, a static aarch64 program, becomes /bin/lancam
#
# The unchanging part is built once and kept. The kernel reads several archives in a row.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
binary=${1:-}
cache=$("$here/fetch.sh")

# The init script inserts all but the last two. `plug` inserts those with the first USB camera.
modules=(virtio_pci virtio_net vivid uvcvideo vhci-hcd)

archive() { (cd "$1" && find . -print0 | sort -z | cpio --quiet -0 -o -H newc -R 0:0); }

build_base() {
    local version module path
    version=$(<"$cache/kernel/version")
    cp -a "$cache/sysroot/." "$stage"
    install -m 755 "$here/plug" "$stage/usr/bin/plug"
    install -m 755 "$here/init" "$stage/init"
    mkdir -p "$stage"/{dev,proc,sys,tmp,run} "$stage/usr/lib/modules/$version"
    cp "$cache/kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$stage/usr/lib/modules/$version/"
    for module in "${modules[@]}"; do
        modprobe -d "$cache/kernel" -S "$version" --show-depends "$module"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r path; do
        cp "$path" "$stage/usr/lib/modules/$version/"
    done
    # busybox may not support compressed modules.
    find "$stage/usr/lib/modules" -name '*.xz' -exec xz -d {} +
    depmod -b "$stage" "$version"
    archive "$stage" >"$cache/base.cpio.new"
    mv "$cache/base.cpio.new" "$cache/base.cpio"
}

exec 9>"$cache/lock"
flock 9
stage=$(mktemp -d "$cache/stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
for part in "$here/init" "$here/plug" "$here/initramfs.sh" "$cache/kernel/version"; do
    if [ "$part" -nt "$cache/base.cpio" ]; then
        build_base
        break
    fi
done
flock -u 9

cat "$cache/base.cpio"
if [ -n "$binary" ]; then
    install -D -m 755 "$binary" "$stage/lancam/usr/bin/lancam"
    archive "$stage/lancam"
fi
