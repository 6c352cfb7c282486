#!/usr/bin/env bash
# fetch.sh: has every package of packages.lock in the cache, whole and with the right hash, and prints that folder.
# Without a network that is enough as long as the cache is full.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"

debs=$cache/debs
mkdir -p "$debs"
gone=()
get() { curl --fail --silent --show-error --location --retry 2 --output "$file.part" "$1"; }
while read -r hash size path; do
    file=$debs/$(deb_name "$path")
    if [ -e "$file" ]; then continue; fi
    # No `apt-get download`: it knows only the versions of today.
    if get "$(mirror "${path%%/*}")/${path#*/}" || get "$DEBIAN/$path"; then
        [ "$(stat -c %s "$file.part")" = "$size" ] || fail "${file##*/} is $(stat -c %s "$file.part") bytes, not $size"
        echo "$hash  $file.part" | sha256sum --check --quiet - >&2 || fail "${file##*/}: not the file that packages.lock has"
        mv "$file.part" "$file"
    else
        gone+=("${file##*/}")
    fi
done < <(grep -v '^#' "$here/packages.lock")
rm -f "$debs"/*.part
if [ ${#gone[@]} -gt 0 ]; then
    printf 'The mirror does not have:\n' >&2
    printf '  %s\n' "${gone[@]}" >&2
    fail "where Debian has newer ones by now, \`make image-lock\` takes those (commit packages.lock)"
fi

# A cache from another day: each file is checked again, and only those of the lock file are used.
while read -r hash _ path; do
    echo "$hash  $debs/$(deb_name "$path")"
done < <(grep -v '^#' "$here/packages.lock") | sha256sum --check --quiet - >&2 || fail "delete what differs in $debs and try again"
echo "$debs"
