#!/usr/bin/env bash
# lock.sh: finds the newest trixie versions of the packages in `packages` and writes packages.lock, one line per package:
# SHA-256, size, archive, and the path of the file in it. apt verifies Debian's signatures.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"

state=$cache/apt
mkdir -p "$state"/{lists,archives}/partial
: >"$state/status"
for suite in debian:trixie debian:trixie-updates debian-security:trixie-security; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror "${suite%:*}") ${suite#*:} main non-free-firmware"
done >"$state/sources.list"

# Runs apt for arm64 with separate sources, indexes and status.
private_apt() {
    local tool=$1
    shift
    "$tool" -q -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::Cache=$state" \
        -o "Dir::Etc::sourcelist=$state/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

private_apt apt-get update >&2
kernel=$(private_apt apt-cache depends linux-image-arm64 | sed -n 's/.*Depends: \(linux-image-6\.12\.\)/\1/p')
[ -n "$kernel" ] || fail "trixie's linux-image-arm64 is not 6.12 any more: the Pi's V4L2 camera driver is only there"
mapfile -t names < <(sed -n "s/ *#.*//; s/^linux-image-arm64\$/$kernel/; /./p" "$here/packages")

{
    echo "# Written by lock.sh (make image-lock). The image's files bear this date: $(date -u +%Y-%m-%dT00:00:00Z)"
    # 'http://HOST/debian/pool/…' NAME SIZE SHA256:…
    private_apt apt-get download --print-uris "${names[@]}" |
        sed -nE "s|^'[^']*/(debian(-security)?/pool/[^']*)' [^ ]+ ([0-9]+) SHA256:([0-9a-f]+).*|\4 \3 \1|p" | LC_ALL=C sort -k 3
} >"$here/packages.lock.new"
count=$(grep -c pool "$here/packages.lock.new")
[ "$count" = ${#names[@]} ] || fail "$count of ${#names[@]} packages found; see $here/packages.lock.new"
mv "$here/packages.lock.new" "$here/packages.lock"
echo "$count packages, with $kernel" >&2
