#!/usr/bin/env bash
# contents.sh DISK: says what is on a disk. The first line is its kind: `empty`, `lancam`, `raspberry-pi` or `other`; the
# rest is for people. A disk without known partitions or file system is `other`, because it may be encrypted as a whole.
set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin
disk=${1:?which disk?}

probe() { blkid --probe --output value --match-tag "$1" "${@:2}" "$disk" 2>/dev/null || true; }
table=$(probe PTTYPE)
system=$(probe TYPE)
# Number, first sector, sectors, size, type and name of each partition.
partitions=()
if [ -n "$table" ]; then
    mapfile -t partitions < <(partx --raw --noheadings --output NR,START,SECTORS,SIZE,TYPE,NAME "$disk" 2>/dev/null)
fi

lines=() labels=() systems=() types=()
for partition in "${partitions[@]}"; do
    read -r number start sectors size type name <<<"$partition"
    area=(--offset $((start * 512)) --size $((sectors * 512)))
    filled=$(probe TYPE "${area[@]}") label=$(probe LABEL "${area[@]}")
    # An extended partition is only a list of other partitions.
    lines+=("$(printf '%-3s %8s  %-12s %s' "$number" "$size" "${filled:-?}" "${label:-$name}")")
    labels+=("$label") systems+=("$filled") types+=("$type")
done

kind=other
if [ -z "$table$system" ]; then
    # Nothing is known about the disk, but it is not blank.
    if [ "$(head -c $((1 << 20)) "$disk" | tr -d '\0' | head -c 1 | wc -c)" = 0 ]; then kind=empty; fi
    lines=("$([ $kind = empty ] && echo "nothing" || echo "data of an unknown kind, perhaps encrypted")")
elif [ "$table" = dos ] && [ -z "$system" ] && [ "$(tail -c +447 "$disk" | head -c 64 | tr -d '\0' | wc -c)" = 0 ]; then
    kind=empty
    lines=("a partition table without partitions")
elif [ "$table" = dos ] && [ "$(probe PTUUID)" = 6c616e63 ]; then
    kind=lancam
elif [ "$table" = dos ] && [ ${#partitions[@]} = 2 ] && [[ ${systems[0]} = vfat && ${labels[0]} =~ ^(boot|bootfs)$ && ${types[1]} = 0x83 ]]; then
    kind=raspberry-pi
elif [ ${#partitions[@]} = 0 ]; then
    lines=("$(printf '%s %s' "${system:-$table}" "$(probe LABEL)")")
fi
echo "$kind"
printf '  %s\n' "${lines[@]}"
