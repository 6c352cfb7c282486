#!/usr/bin/env bash
# initramfs.sh KERNEL SYSTEM TREE...: writes the initramfs to standard output: busybox from the unpacked SYSTEM, `init`, and
# the modules that it inserts. TREEs are the boards' device trees.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
kernel=$1 system=$2

stage=$(mktemp -d "$cache/initramfs.XXXXXX")
trap 'rm -rf "$stage"' EXIT
version=$(ls "$kernel/lib/modules")
modules=$stage/lib/modules/$version
mkdir -p "$stage"/{bin,dev,proc,sys,run,system} "$modules"
"$here/modules.sh" "$kernel" initramfs "$modules" "${@:3}" | sed 's/\.ko$//' >"$stage/lib/modules/order"
depmod -b "$stage" "$version" 2>/dev/null
# busybox reads only these of the indexes that depmod makes.
find "$modules" -name 'modules.*' ! -name modules.dep ! -name modules.alias -delete
install -m 755 "$here/init" "$stage/init"
install -m 755 "$system/usr/bin/busybox" "$stage/bin/busybox"
for tool in sh cat hexdump ln md5sum mkdir modprobe mount reboot sleep switch_root timeout; do
    ln -s busybox "$stage/bin/$tool"
done
find "$stage" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
cd "$stage"
find . -print0 | sort -z | cpio --quiet --reproducible -0 -o -H newc -R 0:0 | zstd -19 --quiet --stdout
