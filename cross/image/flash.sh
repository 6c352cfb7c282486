#!/usr/bin/env bash
# flash.sh IMAGE [DEVICE]: shows what is on a card, asks, writes it while showing the progress, and reads it back. IMAGE may
# be .img or .img.xz; if only the .xz exists, it is used. Without DEVICE, lists disks. YES=1 answers the question. Refuses a
# disk that is mounted, in use by this system, built in, or not of a card's size. Needs FORCE=1 for a disk with anything but
# lancam or Raspberry Pi OS on it. Then writes a fresh code into lancam.toml on the card, and prints it. LANCAM_FLASH_FILES=1 lets tests write to plain files and loop devices.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
fail() { echo "flash: $*" >&2; exit 1; }
MOST_GIB=600
STEP=$((4 << 20))

image=${1:?image} device=${2:-}
# The part of what to type that names the image, if it is not the usual one.
of_image=''
[ "$image" = dist/lancam.img ] || printf -v of_image ' IMAGE=%q' "$image"
[ -e "$image" ] || [ ! -e "$image.xz" ] || image+=.xz

disks() { lsblk --nodeps --noheadings --output PATH,SIZE,TRAN,MODEL --exclude 1,7,11,253 2>/dev/null || true; }
no_image() {
    if [ "$image" = dist/lancam.img ]; then echo "there is no $image yet: \`make image\` builds it, or IMAGE=FILE names one that you have"
    else echo "$image is missing: no such file, and no $image.xz"; fi
}
[ -n "$device" ] || fail "which card? Type: sudo make flash DEV=/dev/sdX$of_image, with the card's disk. This machine has:
$(disks)$([ -e "$image" ] || { echo && no_image; })"
[ -e "$image" ] || fail "$(no_image)"
if [ ! -f "$image" ] || [ ! -r "$image" ]; then fail "cannot read $image: it is not a file, or this user may not read it"; fi

refuse_what_is_no_card() {
    local name mounted
    name=$(basename "$(realpath "$device")")
    [ -e "/sys/block/$name" ] || fail "$device is a partition. Name the whole disk"
    mounted=$(lsblk --noheadings --raw --output PATH,MOUNTPOINT "$device" 2>/dev/null | awk '$2 != ""') ||
        fail "there is no disk in $device"
    [ -z "$mounted" ] || fail "in use: $mounted. If this is the card, unmount it first"
    [ -z "$(find "/sys/block/$name/" -path '*/holders/*' -print -quit)" ] ||
        fail "$device is part of something else (LVM, RAID, encryption)"
    size=$(($(cat "/sys/block/$name/size") * 512))
    [ "$size" -gt 0 ] || fail "there is no card in $device"
    [ "$size" -le $((MOST_GIB << 30)) ] || fail "$device has $((size >> 30)) GiB, which is too large for a card"
    if [[ -n ${LANCAM_FLASH_FILES:-} && $name == loop* ]]; then return; fi
    ! is_built_in "/sys/block/$name" || fail "$device is built into this machine, so it is not a card"
    # Users that no list shows: a file system over several disks, or a virtual machine.
    if [[ $(blockdev --rereadpt "$device" 2>&1) == *busy* ]]; then fail "a partition of $device is in use"; fi
}

# is_built_in /sys/block/NAME: whether it is part of this machine. Among devices with a card's interface, an eMMC is soldered
# in.
is_built_in() {
    case ${1##*/} in
    mmcblk*) [ "$(cat "$1/device/type" 2>/dev/null)" = MMC ] ;;
    sr*) return 0 ;;
    *) [ "$(cat "$1/removable")" != 1 ] && [ "$(lsblk --nodeps --noheadings --output TRAN "$device" | tr -d ' ')" != usb ] ;;
    esac
}

# The disk's name, as far as it gives one.
model() {
    local name
    name=$(basename "$(realpath "$device")")
    { lsblk --nodeps --noheadings --output VENDOR,MODEL,TRAN "$device" 2>/dev/null || true
      cat "/sys/block/$name/device/name" 2>/dev/null || true; } | xargs
}

# A number that changes when another disk is inserted.
disk_now() { cat "/sys/block/$(basename "$(realpath "$device")")/diskseq" 2>/dev/null || true; }

ask_before_it_is_lost() {
    local kind contents answer model
    { read -r kind && mapfile -t contents; } < <("$here/contents.sh" "$device") || fail "$device cannot be read"
    model=$(model)
    {
        echo "$device: ${model:-no name}, $(numfmt --to=iec-i --suffix=B --format=%.1f "$size"). On it:"
        printf '%s\n' "${contents[@]}"
    } >&2
    if [ "$kind" = other ] && [ "${FORCE:-}" != 1 ]; then
        fail "this card holds something else than a Raspberry Pi's system. To delete it all, type: sudo make flash DEV=$device$of_image FORCE=1"
    fi
    if [ "${YES:-}" = 1 ]; then return; fi
    if [ ! -t 0 ] || [ ! -t 2 ]; then fail "this deletes all of it, and there is no terminal to ask at. To agree, add YES=1"; fi
    printf 'This deletes all of it. Write %s to the card? [y/N] ' "$image" >&2
    read -r answer || answer=no
    case ${answer,,} in y | yes) ;; *) fail "nothing was written" ;; esac
}

if [ -b "$device" ]; then
    refuse_what_is_no_card
elif [ -f "$device" ] && [ -n "${LANCAM_FLASH_FILES:-}" ]; then
    size=$(stat -c %s "$device")
else
    fail "$device is not a disk. This machine has:
$(disks)"
fi
[ -w "$device" ] || fail "this user may not write to $device. Type: sudo make flash DEV=$device$of_image"

read_image() { case $image in *.xz) xz --decompress --stdout "$image" ;; *) cat "$image" ;; esac; }
# Read the whole image once before the card is overwritten.
length=$(read_image | wc -c) || fail "$image is damaged. Build it or download it again"
signature=$({ read_image 2>/dev/null || true; } | head -c 512 | tail -c 2 | od -A n -t x1 | tr -d ' ')
[ "$signature" = 55aa ] || fail "$image is not an image of a card: it has no partition table"
[ "$size" -ge "$length" ] || fail "$device has $((size >> 20)) MiB, the image $((length >> 20)). Take a larger card"

# bar WHAT AT: shows the progress on the same line.
bar() {
    local percent=$(($2 * 100 / length)) blank
    printf -v blank '%*s' $((percent / 2)) ''
    printf '\r%s [%-50s] %3d %%' "$1" "${blank// /#}" "$percent" >&2
}

# While this lock is held, no desktop reads the half-written card, and no second flash.sh writes to it.
exec 9<"$device"
flock --nonblock 9 || fail "$device is in use by another program"
before=$(disk_now)
ask_before_it_is_lost
# Meanwhile a desktop may have mounted it, or somebody may have inserted another one.
if [ -b "$device" ]; then refuse_what_is_no_card; fi
[ "$(disk_now)" = "$before" ] || fail "there is another disk in $device now, so nothing was written"

# write_step AT: writes one step from standard input at AT. Waits until the card has it, so that the progress shown is true.
write_step() {
    dd of="$device" bs=$STEP count=1 seek=$(($1 / STEP)) iflag=fullblock conv=notrunc,fdatasync status=none ||
        fail "cannot write to $device (see above). Try another card or another reader"
}

# The partition table is written last. Until then nothing on the card can be mounted.
echo "Writing $((length >> 20)) MiB to $device" >&2
first=$(mktemp)
trap 'rm -f "$first"' EXIT
{
    head -c $STEP >"$first"
    head -c $((1 << 20)) /dev/zero | write_step 0
    for ((at = STEP; at < length; at += STEP)); do
        bar Writing "$at"
        write_step "$at"
    done
} < <(read_image)
write_step 0 <"$first"
bar Writing "$length"
echo >&2

# Read from the card, not from this machine's cache.
if [ -b "$device" ]; then blockdev --flushbufs "$device"; fi
for ((at = 0; at < length; at += STEP)); do
    bar Reading "$at"
    left=$((length - at))
    cmp --quiet <(head -c $STEP <&3) <(dd if="$device" bs=$STEP count=1 skip=$((at / STEP)) status=none | head -c $left) || {
        echo >&2
        fail "$device does not give back what was written, in MiB $((at >> 20)) to $(((at + STEP) >> 20)). Try another card or another reader"
    }
done 3< <(read_image)
bar Reading "$length"
echo >&2

# A comment in lancam.toml, which a line of the same length replaces. So no file system has to be mounted or changed.
readonly PLACE='#device.code = "____-____-____"'

# Prints 12 random letters, none of which can be taken for another.
random_code() {
    local letters=0123456789ABCDEFGHJKMNPQRSTVWXYZ code='' byte
    for byte in $(od -A n -N 12 -t u1 /dev/urandom); do code+=${letters:byte % 32:1}; done
    [ ${#code} = 12 ] || fail "this system gives no random numbers, so the card has no code. Do not use it"
    echo "${code:0:4}-${code:4:4}-${code:8:4}"
}

# Writes a code of its own onto each card, because all cards have the same image. The camera moves it to its own partition.
write_code() {
    local found at code line
    # Blank space as line ends, because grep keeps a line in memory.
    mapfile -t found < <(read_image | tr '\0' '\n' | grep --text --byte-offset --only-matching --fixed-strings "$PLACE")
    if [ ${#found[@]} != 1 ]; then
        echo "This image has no place for a code. If its camera asks for one, its screen shows it"
        return
    fi
    at=${found[0]%%:*}
    code=$(random_code)
    line="device.code = \"$code\" "
    printf %s "$line" | dd of="$device" bs=1 seek="$at" conv=notrunc,fsync status=none || fail "cannot write the code to $device"
    if [ -b "$device" ]; then blockdev --flushbufs "$device"; fi
    [ "$(dd if="$device" bs=1 skip="$at" count=${#line} status=none | tr '\0' '?')X" = "${line}X" ] ||
        fail "$device does not give back the code that was written. Try another card or another reader"
    echo "The camera's code: $code"
    echo "Note it down: lancam-view and browsers ask for it once. Until the camera's first start, it is in lancam.toml on the card"
}
write_code
exec 9<&-
if [ -b "$device" ]; then blockdev --rereadpt "$device" 2>/dev/null || true; fi
echo "The card is ready. Put it into the Pi" >&2
