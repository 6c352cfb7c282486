#!/usr/bin/env bash
# The emulated Pi, 3 of 3: boots it with the console on standard input and output. See fetch.sh.
#
#   run.sh virt [BINARY [KERNEL_ARGUMENT…]]       `poweroff -f` in the guest ends it
#   run.sh raspi3b [BINARY [KERNEL_ARGUMENT…]]    a Raspberry Pi 3B without a network; it never ends by itself: kill it
#
# After `rig ready`, every line typed is run as a shell command (see init). BINARY may be empty: ''.
# LANCAM_RIG_FORWARD="HOST:GUEST…" forwards 127.0.0.1:HOST to the guest's TCP port GUEST; `virt` only.
# The shell becomes QEMU: the process id stays the same. It ends with the process that started it (more exactly: with the
# thread), and after an hour. `rig.seconds=7200` as a kernel argument gives it two.
set -euo pipefail

# The kernel ends it, because whoever is killed cannot. A parent that is gone already has left another one in its place.
if [ -z "${LANCAM_RIG_PARENT:-}" ]; then LANCAM_RIG_PARENT=$PPID exec setpriv --pdeathsig KILL "$0" "$@"; fi
[ "$LANCAM_RIG_PARENT" = "$PPID" ] || exit

here=$(cd "$(dirname "$0")" && pwd)
machine=$1
binary=${2:-}
append="loglevel=3 panic=1 ${*:3}"
cache=$("$here/fetch.sh")

# QEMU reads the deleted initramfs through an open descriptor, so there is nothing to clean up.
initrd=$(mktemp "$cache/initrd.XXXXXX")
exec 3<>"$initrd"
rm "$initrd"
"$here/initramfs.sh" "$binary" >&3

qemu=(qemu-system-aarch64 -m 1024 -kernel "$cache/kernel/vmlinuz" -initrd /dev/fd/3
    -display none -monitor none -no-reboot)
case $machine in
virt)
    user=user,id=lan
    for pair in ${LANCAM_RIG_FORWARD:-}; do user+=",hostfwd=tcp:127.0.0.1:${pair%:*}-:${pair#*:}"; done
    # TCG even if /dev/kvm can be opened: it may still not be able to run this kernel.
    exec "${qemu[@]}" -M virt -accel tcg -cpu cortex-a53 -smp 2 -serial stdio \
        -netdev "$user" -device virtio-net-pci,netdev=lan,romfile= -append "console=ttyAMA0 $append"
    ;;
raspi3b)
    # The console is the mini UART, QEMU's second serial port. One thread for all four CPUs: three of them spin until the
    # kernel starts them, and with threads of their own they slow the kernel's self-patching down from 1 s to 12 s.
    exec "${qemu[@]}" -M raspi3b -accel tcg,thread=single -smp 4 -dtb "$cache/kernel/bcm2837-rpi-3-b.dtb" \
        -serial null -serial stdio -append "console=ttyAMA0 console=ttyS1,115200 $append"
    ;;
*)
    echo "run.sh: no machine '$machine'; there are: virt raspi3b" >&2
    exit 2
    ;;
esac
