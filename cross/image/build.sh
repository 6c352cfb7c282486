#!/usr/bin/env bash
# build.sh LANCAM SETUP: builds dist/lancam.img, the SD card for Pi 3, 3+, 4 and Zero 2 W, with the static aarch64 programs
# LANCAM and SETUP (dist/lancam-aarch64 and dist/lancam-setup-aarch64 from cross/build.sh). Also writes it as .img.xz, and a
# list of everything inside with licences. Needs no root rights, and runs nothing of the image.
#
# The card (docs/IMAGE-INSIDE.md): p1 is FAT, with the firmware's files and the owner's settings; p2 is squashfs, the system;
# p3 is blank, and the first boot makes an ext4 there. The partition table gives p3 more than the image has, because cards
# are larger.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
[ $# -eq 2 ] || fail "usage: build.sh LANCAM SETUP"
lancam=$(realpath "$1") setup=$(realpath "$2")
dist=${LANCAM_IMAGE_FOLDER:-$here/../../dist} # tests build elsewhere

readonly MIB=1048576 FIRST=4 BOOT=64 DATA=512 # where p1 begins, and sizes of p1 and p3, in MiB
readonly ID=6c616e63                          # the disk's signature, which PARTUUIDs begin with; also in boot/cmdline.txt and root/
readonly BOARDS=(bcm2837-rpi-3-a-plus bcm2837-rpi-3-b bcm2837-rpi-3-b-plus bcm2837-rpi-zero-2-w bcm2711-rpi-4-b bcm2711-rpi-400)
readonly FIRMWARE=(bootcode.bin {start,start_x,start4,start4x}.elf {fixup,fixup_x,fixup4,fixup4x}.dat)

date_all() { find "$1" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +; }

unpack_kernel() {
    dpkg-deb -x "$debs"/linux-image-*.deb "$work/kernel"
    ln -s usr/lib "$work/kernel/lib"
    version=$(ls "$work/kernel/lib/modules")
    depmod -b "$work/kernel" "$version"
    trees=("${BOARDS[@]/#/"$work/kernel/usr/lib/linux-image-$version/broadcom/"}")
    trees=("${trees[@]/%/.dtb}")
}

make_root() {
    "$here/root.sh" "$work/system" "$debs" "$lancam" "$setup"
    local modules=$work/system/usr/lib/modules/$version
    mkdir -p "$modules"
    cp "$work/kernel/lib/modules/$version"/modules.{builtin,builtin.modinfo,order} "$modules/"
    local section
    for section in initramfs root; do "$here/modules.sh" "$work/kernel" "$section" "$modules" "${trees[@]}" >/dev/null; done
    depmod -b "$work/system" "$version"
    date_all "$work/system"
    mksquashfs "$work/system" "$work/system.squashfs" -quiet -no-progress -comp zstd -Xcompression-level 19 -b 128K \
        -all-root -no-xattrs -no-exports -processors 2 >&2
}

# Changes to the kernel's device trees: the Zero 2 W's USB port becomes a host port without an adapter that grounds a pin,
# and the ribbon connector's I2C is left to the firmware, which uses it for the camera.
adapt_trees() {
    local tree
    for tree in "$1"/*.dtb; do fdtput --type s "$tree" /soc/i2c@7e205000 status disabled; done
    fdtput --type s "$1/bcm2837-rpi-zero-2-w.dtb" /soc/usb@7e980000 dr_mode host
}

make_boot() {
    local boot=$work/boot
    cp -r "$here/boot" "$boot"
    cp "${trees[@]}" "$boot/"
    adapt_trees "$boot"
    cp "$work/card.txt" "$boot/licences.txt"
    dpkg-deb --fsys-tarfile "$debs"/raspi-firmware_*.deb |
        tar -x -C "$boot" --strip-components 4 "${FIRMWARE[@]/#/./usr/lib/raspi-firmware/}"
    gzip -9 --no-name <"$work/kernel/boot/vmlinuz-$version" >"$boot/vmlinuz"
    "$here/initramfs.sh" "$work/kernel" "$work/system" "${trees[@]}" >"$boot/initramfs"
    date_all "$boot"
    truncate --size ${BOOT}M "$work/boot.fat"
    mkfs.vfat --invariant -F 32 -n LANCAM -i "$ID" "$work/boot.fat" >/dev/null
    (cd "$boot" && mcopy -m -Q -i "$work/boot.fat" ./* ::)
}

# bytes VALUE COUNT: prints little-endian bytes as printf escapes.
bytes() {
    local value=$1 count=$2
    while [ $((count -= 1)) -ge 0 ]; do
        printf '\\x%02x' $((value & 255))
        value=$((value >> 8))
    done
}

# entry TYPE START SIZE: prints the 16 bytes of a partition table entry; START and SIZE are in MiB. Heads and cylinders are
# no longer used.
entry() { bytes 0xfffffe00 4 && bytes $((0xfffffe00 | $1)) 4 && bytes $(($2 * 2048)) 4 && bytes $(($3 * 2048)) 4; }

# Writes the partition table: four entries, with the disk signature before them and the boot signature after them.
make_card() {
    local card=$work/card.img root
    root=$((($(stat -c %s "$work/system.squashfs") + MIB - 1) / MIB))
    root=$(((root + 3) / 4 * 4))
    local data=$((FIRST + BOOT + root))
    # One blank MiB of p3, so that a card that is written again starts afresh.
    truncate --size $((data + 1))M "$card"
    {
        bytes 0x$ID 4 && bytes 0 2
        entry 0x0c $FIRST $BOOT && entry 0x83 $((FIRST + BOOT)) "$root" && entry 0x83 "$data" $DATA && bytes 0 16
        bytes 0xaa55 2
    } >"$work/table"
    printf '%b' "$(<"$work/table")" | dd of="$card" bs=1 seek=440 conv=notrunc status=none
    dd if="$work/boot.fat" of="$card" bs=1M seek=$FIRST conv=notrunc,sparse status=none
    dd if="$work/system.squashfs" of="$card" bs=1M seek=$((FIRST + BOOT)) conv=notrunc status=none
}

"$here/../need.sh" mksquashfs:squashfs-tools mcopy:mtools mkfs.vfat:dosfstools cpio:cpio depmod:kmod xz:xz-utils zstd:zstd fdtput:device-tree-compiler \
    curl:curl readelf:binutils python3:python3
debs=$("$here/fetch.sh")
work=$cache/work
rm -rf "$work"
mkdir -p "$work" "$dist"

began=$SECONDS
"$here/manifest.sh" "$debs" >"$work/card.txt"
unpack_kernel
make_root
make_boot
make_card
xz --keep -6 --threads=2 --block-size=32MiB "$work/card.img"
mv "$work/card.img" "$dist/lancam.img"
mv "$work/card.img.xz" "$dist/lancam.img.xz"
mv "$work/card.txt" "$dist/lancam.img.txt"

# at_most MIB FILE: fails if FILE is too large for small cards and quick downloads.
at_most() { [ "$(stat -c %s "$2")" -le $(($1 * 1000000)) ] || fail "$2 has more than $1 MB"; }
at_most 300 "$dist/lancam.img"
at_most 64 "$dist/lancam.img.xz"
ls -l "$dist"/lancam.img* >&2
echo "built in $((SECONDS - began)) s" >&2
