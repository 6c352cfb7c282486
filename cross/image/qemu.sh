#!/usr/bin/env bash
# qemu.sh MACHINE CARD [KERNEL-ARGUMENT...]: boots a card's own kernel, initramfs and command line in QEMU, which has no
# Raspberry Pi firmware to read them. The console is on standard input and output. MACHINE is `virt`, where CARD is a virtio
# disk, or `raspi3b`, where it is the SD card of an emulated Pi 3B and its size must be a power of two (truncate --size 128M
# CARD). CARD is written to. LANCAM_FORWARD="HOST:GUEST…" forwards 127.0.0.1:HOST to TCP port GUEST. LANCAM_QEMU has more
# arguments for QEMU. The shell becomes QEMU, which ends with the process that started it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
machine=$1 card=$2
arguments=(loglevel=3 "${@:3}")

from_card() { mcopy -n -i "$card@@4M" "::$1" -; }

files=$(mktemp -d "$cache/qemu.XXXXXX")
from_card vmlinuz >"$files/vmlinuz"
from_card initramfs >"$files/initramfs"
from_card bcm2837-rpi-3-b.dtb >"$files/dtb"
# QEMU reads deleted files through open descriptors, so there is nothing to clean up.
exec 3<"$files/vmlinuz" 4<"$files/initramfs" 5<"$files/dtb"
rm -r "$files"

user=user,id=lan
for pair in ${LANCAM_FORWARD:-}; do user+=",hostfwd=tcp:127.0.0.1:${pair%:*}-:${pair#*:}"; done
append="$(from_card cmdline.txt | tr -d '\r\n') ${arguments[*]}"
read -ra more <<<"${LANCAM_QEMU:-}"
# It ends with its parent, because no other process knows about it.
qemu=(setpriv --pdeathsig KILL qemu-system-aarch64 -m 1024 -kernel /dev/fd/3 -initrd /dev/fd/4 -display none -monitor none "${more[@]}")
case $machine in
virt)
    exec "${qemu[@]}" -M virt -accel tcg -cpu cortex-a53 -smp 2 -serial stdio \
        -drive "if=none,id=card,format=raw,file=$card" -device virtio-blk-pci,drive=card,romfile= \
        -netdev "$user" -device virtio-net-pci,netdev=lan,romfile= -device i6300esb -append "$append console=ttyAMA0"
    ;;
raspi3b)
    # On the emulated Pi, opening the watchdog resets it, and vchiq may crash because there is no firmware to talk to. One
    # thread for all CPUs: see cross/rig/run.sh.
    exec "${qemu[@]}" -M raspi3b -accel tcg,thread=single -smp 4 -dtb /dev/fd/5 -drive "if=sd,format=raw,file=$card" \
        -netdev "$user" -device usb-net,netdev=lan -serial null -serial stdio \
        -append "$append console=ttyS1,115200 module_blacklist=bcm2835_wdt,vchiq"
    ;;
*) fail "no machine '$machine'; there are: virt raspi3b" ;;
esac
