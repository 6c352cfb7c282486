#!/usr/bin/env bash
# modules.sh KERNEL SECTION OUT: copies the modules in a section of `modules`, and those that they need, from the unpacked
# kernel package KERNEL to OUT. They are stored uncompressed, because the archive around them is compressed. Prints them in
# the order to insert them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
kernel=$1 section=$2 out=$3
version=$(ls "$kernel/lib/modules")

section() { sed -n "/^\[$1\]/,/^\[/{ s/ *#.*//; /^[^[]/p }" "$here/modules"; }

# Prints the modules that drive nodes of the boards' device trees.
for_boards() {
    python3 - "$kernel/lib/modules/$version/modules.alias" "${@}" <<'PYTHON'
import re, sys
trees = b"".join(open(path, "rb").read() for path in sys.argv[2:])
for line in open(sys.argv[1]):
    if match := re.match(r"alias of:N\*T\*C([^*]+) (\w+)$", line):
        if match[1].encode() + b"\0" in trees:
            print(match[2])
PYTHON
}

unknown=$(for_boards "${@:4}" | sort -u | grep -vxFf <(section initramfs; section root; section not)) || true
[ -z "$unknown" ] || fail "the boards have devices for these modules, which cross/image/modules does not mention:" "$unknown"

for name in $(section "$section"); do
    modprobe -d "$kernel" -S "$version" --show-depends "$name" || fail "the kernel has no module $name"
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
    name=$(basename "$path" .xz)
    mkdir -p "$out"
    xz --decompress --stdout "$path" >"$out/$name"
    echo "$name"
done
