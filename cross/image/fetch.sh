#!/usr/bin/env bash
# fetch.sh: puts every package in packages.lock into the cache, checks its hash, and prints the cache's folder. With a full
# cache it needs no network.
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
    # `apt-get download` would only find current versions.
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

# The cache may be older: check each file again, and use only those in the lock file.
while read -r hash _ path; do
    echo "$hash  $debs/$(deb_name "$path")"
done < <(grep -v '^#' "$here/packages.lock") | sha256sum --check --quiet - >&2 || fail "delete what differs in $debs and try again"
echo "$debs"
