#!/usr/bin/env bash
# root.sh OUT DEBS LANCAM SETUP: makes the tree of the read-only system: the packages' files without those in `drop`, plus
# `root/`, systemd/ and the static programs LANCAM and SETUP. Runs nothing of it, not even maintainer scripts: `root/`
# contains what they would make.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=cross/image/common.sh
. "$here/common.sh"
out=$1 debs=$2 lancam=$3 setup=$4

unpack() {
    mkdir -p "$out"/usr/{bin,sbin,lib}
    ln -s usr/bin usr/sbin usr/lib "$out/"
    local path
    while read -r _ _ path; do
        case $path in */linux-image-* | */raspi-firmware_*) continue ;; esac
        dpkg-deb --fsys-tarfile "$debs/$(deb_name "$path")" | tar -x --keep-directory-symlink --no-same-owner -C "$out"
    done < <(grep -v '^#' "$here/packages.lock")
}

# Keeps only the boards' Wi-Fi firmware, of 12 MB.
keep_firmware() {
    mkdir "$out.firmware"
    (
        cd "$out/usr/lib/firmware"
        shopt -s nullglob # not every chip has both
        tar -c regulatory.db*-debian {brcm/brcmfmac,cypress/cyfmac}43{430,455}-sdio*
    ) | tar -x -C "$out.firmware"
    dpkg-deb --fsys-tarfile "$debs"/raspi-firmware_*.deb | tar -x -C "$out.firmware" --strip-components 4 \
        ./usr/lib/firmware
    local file
    for file in "$out.firmware"/regulatory.*-debian; do mv "$file" "${file%-debian}"; done
    find "$out.firmware/brcm" -name '*.txt' ! -name '*raspberrypi*' ! -name 'brcmfmac4345?-sdio.txt' ! -name 'brcmfmac43430-sdio.txt' -delete
}

drop() {
    local pattern
    (cd "$out" && find . -mindepth 1 -printf '%P\n') >"$out.all"
    while read -r pattern; do
        # shellcheck disable=SC2254 # it is a pattern
        while IFS= read -r path; do case $path in $pattern) echo "$path" ;; esac; done <"$out.all"
    done < <(grep -v '^#' "$here/drop") | (cd "$out" && xargs -d '\n' rm -rf)
    rm "$out.all"
    local folder names
    while read -r folder names; do
        # shellcheck disable=SC2086 # names
        find "$out/$folder" -mindepth 1 -maxdepth 1 | grep -vxFf <(printf "$out/$folder%s\n" $names) | xargs -d '\n' rm -rf
    done < <(grep -v '^#' "$here/keep" | tr '\n' ' ' | sed -E 's/ +/ /g; s|(usr/[^ ]*/) |\n\1 |g' | sed 1d && echo)
    find "$out" -xtype l ! -path '*/firmware/*' ! -name resolv.conf -delete # such as links to what is gone
    find "$out" -depth -mindepth 2 -type d -empty -delete
}

# Checks that every library needed by a program or a library is there.
check_libraries() {
    local missing
    missing=$({ find "$out" -type f \( -perm /111 -o -name '*.so*' \) -exec readelf --dynamic {} + 2>/dev/null || true; } |
        sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u | while read -r library; do
        [ -n "$(find "$out/usr/lib" -name "$library" -print -quit)" ] || echo "$library"
    done)
    [ -z "$missing" ] || fail "no package in cross/image/packages has these libraries:" "$missing"
}

rm -rf "$out" "$out".*
unpack
keep_firmware
drop
mkdir -p "$out"/{boot,data,dev,proc,run,sys,tmp,var,usr/lib/firmware}
cp -r "$out.firmware/." "$out/usr/lib/firmware/"
rm -rf "$out.firmware"
cp -rT "$here/root" "$out"
install -m 644 -D -t "$out/usr/lib/systemd/system" "$here"/../../systemd/lancam{.service,.socket,-misconfigured.target}
chmod 600 "$out/etc/shadow"
install -m 755 "$lancam" "$out/usr/bin/lancam"
install -m 755 "$setup" "$out/usr/bin/lancam-setup"
for tool in $("$here/busybox-tools.sh"); do [ -e "$out/usr/bin/$tool" ] || [ -e "$out/usr/sbin/$tool" ] || ln -s busybox "$out/usr/bin/$tool"; done
find "$out" -type f -perm /6000 -exec chmod u-s,g-s {} +
check_libraries
