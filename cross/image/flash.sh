#!/usr/bin/env bash
# flash.sh IMAGE DEVICE: writes a card, shows how far it is, and reads it back. Refuses what is mounted, what this system runs from,
# and what is no card's size. An image may be .img or .img.xz. LANCAM_FLASH_FILES=1 lets tests write to a plain file.
set -euo pipefail
fail() { echo "flash: $*" >&2; exit 1; }
image=${1:?image} device=${2:-}
[ -e "$image" ] || fail "no $image; \`make image\` builds it"

disks() { lsblk --nodeps --noheadings --output PATH,SIZE,TRAN,MODEL --exclude 1,7,11 2>/dev/null; }
[ -n "$device" ] || fail "which card? make flash DEV=/dev/…; this machine has:
$(disks)"

if [ -b "$device" ]; then
    name=$(basename "$(realpath "$device")")
    [ -e "/sys/block/$name" ] || fail "$device is a partition; the whole disk is wanted"
    mounted=$(lsblk --noheadings --raw --output PATH,MOUNTPOINT "$device" | awk '$2 != ""')
    [ -z "$mounted" ] || fail "in use: $mounted; unmount it first, if it is the card"
    [ -z "$(find "/sys/block/$name/" -path '*/holders/*' -print -quit)" ] ||
        fail "$device is part of something else (LVM, RAID, encryption)"
    size=$(blockdev --getsize64 "$device")
    [ "$size" -le $((600 << 30)) ] || fail "$device has $((size >> 30)) GiB: no card is so large"
    if [ "$(cat "/sys/block/$name/removable")" != 1 ] && [[ $name != mmcblk* ]] &&
        [ "$(lsblk --nodeps --noheadings --output TRAN "$device" | tr -d ' ')" != usb ]; then
        fail "$device is built into this machine: neither removable, nor on USB, nor a card"
    fi
    [ -w "$device" ] || fail "not allowed to write to $device: sudo make flash DEV=$device"
elif [ -f "$device" ] && [ -n "${LANCAM_FLASH_FILES:-}" ]; then
    size=$(stat -c %s "$device")
else
    fail "$device is no disk; this machine has:
$(disks)"
fi

read_image() { case $image in *.xz) xz --decompress --stdout "$image" ;; *) cat "$image" ;; esac; }
length=$(read_image | wc -c)
[ "$size" -ge "$length" ] || fail "$device has $((size >> 20)) MiB, the image $((length >> 20))"

echo "Writing $((length >> 20)) MiB to $device" >&2
# A file is not cut off, as a disk is not; the disk has it all when dd returns.
read_image | dd of="$device" bs=4M iflag=fullblock conv=notrunc,fsync status=progress
echo "Reading it back" >&2
if [ -b "$device" ]; then blockdev --flushbufs "$device"; fi
cmp --bytes="$length" <(read_image) "$device" || fail "$device does not give back what was written: another card, or another reader"
echo "The card is ready: into the Pi with it" >&2
