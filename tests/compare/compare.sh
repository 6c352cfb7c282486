#!/usr/bin/env bash
# compare.sh [CAMERA]: compares lancam, Debian's ustreamer and Debian's motion in one run; prints a table (see compare.py).
#
# With a CAMERA, such as /dev/video0, runs on this machine; a Pi tells most. Uses dist/lancam-aarch64 or the like if `make
# pi` has built it, else a program built for this machine. Without a camera, runs on the emulated Pi, whose camera is the
# kernel's test driver. That is ten times as slow: it uses small pictures, has no slow reader, and only the ratios mean
# something. LANCAM_COMPARE has more options for compare.py: "--seconds 60 --rounds 3".
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$PATH:/usr/sbin:/sbin
camera=${1:-}
read -ra more <<<"${LANCAM_COMPARE:-}"

if [ -n "$camera" ]; then
    [ -c "$camera" ] || { echo "compare: there is no camera $camera. \`lancam list\` shows the cameras" >&2 && exit 2; }
    cross/need.sh ustreamer:ustreamer motion:motion djpeg:libjpeg-turbo-progs python3:python3
    for service in motion lancam; do
        # Debian starts motion when it is installed, and it takes the camera.
        if systemctl is-active --quiet "$service" 2>/dev/null; then
            echo "the service $service runs and may hold $camera; stop it first: sudo systemctl stop $service" >&2
            exit 1
        fi
    done
    lancam=dist/lancam-$(uname -m)
    if [ ! -x "$lancam" ]; then
        cross/cargo.sh build --release --locked --bin lancam
        lancam=target/release/lancam
    fi
    exec tests/compare/compare.py "$lancam" "$camera" "${more[@]}"
fi

cross/need.sh qemu-system-aarch64:qemu-system-arm mmdebstrap:mmdebstrap mke2fs:e2fsprogs cpio:cpio
[ -x "${LANCAM_PI_BINARY:=dist/lancam-aarch64}" ] || cross/build.sh aarch64
cache=$(cross/rig/fetch.sh)
version=$(<"$cache/kernel/version")
stage=$(mktemp -d "$cache/compare.XXXXXX")
trap 'rm -rf "$stage"' EXIT

# The programs with their libraries, unpacked but not configured, because programs of another architecture do not run here.
if [ ! -d "$cache/compare" ]; then
    mmdebstrap --mode=root --variant=extract --architectures=arm64 --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --include=ustreamer,motion,python3,libjpeg-turbo-progs bookworm "$cache/compare.new" >&2
    mv "$cache/compare.new" "$cache/compare"
fi
mkdir -p "$cache/compare"/{compare,dev,proc,sys,tmp}
cp "$LANCAM_PI_BINARY" "$cache/compare/compare/lancam"
cp tests/compare/compare.py "$cache/compare/compare/"
mke2fs -q -t ext4 -d "$cache/compare" "$stage/disk" 1500M

# What the rig's initramfs does not have: a disk, its file system, and another first process.
mkdir "$stage/more"
for module in virtio_pci virtio_blk ext4 vivid; do
    modprobe -d "$cache/kernel" -S "$version" --show-depends "$module"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$stage/modules"
while read -r module; do cp "$module" "$stage/more/"; done <"$stage/modules"
cat >"$stage/more/init" <<INIT
#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /disk
/bin/busybox mount -t devtmpfs none /dev
for module in $(sed 's:.*/::' "$stage/modules" | tr '\n' ' '); do /bin/busybox insmod /\$module; done
for attempt in 1 2 3 4 5 6 7 8 9 10; do [ -e /dev/vda ] || /bin/busybox sleep 1; done
/bin/busybox mount -t ext4 -o ro /dev/vda /disk || { /bin/busybox dmesg | /bin/busybox tail -n 5; /bin/busybox poweroff -f; }
/bin/busybox mount -t devtmpfs none /disk/dev
/bin/busybox mount -t proc none /disk/proc
/bin/busybox mount -t sysfs none /disk/sys
/bin/busybox mount -t tmpfs none /disk/tmp
/bin/busybox ip link set lo up
libs=aarch64-linux-gnu
/bin/busybox env -i PATH=/usr/bin:/usr/sbin:/bin HOME=/tmp LD_LIBRARY_PATH=/usr/lib/\$libs/blas:/usr/lib/\$libs/lapack /bin/busybox chroot /disk \
    /usr/bin/python3 -u /compare/compare.py /compare/lancam /dev/video0 --size 640x360 --fps 5 --seconds 30 --slow 0 ${more[@]} 2>&1
/bin/busybox poweroff -f
INIT
chmod 755 "$stage/more/init"
cross/rig/initramfs.sh '' >"$stage/initrd"
(cd "$stage/more" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0) >>"$stage/initrd"

echo "On the emulated Pi (two Cortex-A53, vivid as the camera): some minutes." >&2
qemu-system-aarch64 -M virt -accel tcg -cpu cortex-a53 -smp 2 -m 1024 -kernel "$cache/kernel/vmlinuz" -initrd "$stage/initrd" \
    -display none -monitor none -no-reboot -nic none -serial stdio -drive "file=$stage/disk,format=raw,if=none,id=disk" \
    -device virtio-blk-pci,drive=disk -append "console=ttyAMA0 loglevel=3 panic=1" </dev/null | tr -d '\r'
