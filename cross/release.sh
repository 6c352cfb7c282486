#!/usr/bin/env bash
# release.sh: builds what is out of date, and collects in dist/release the files for a release page: the image with its list,
# packages, static programs, the viewer for this machine, SHA256SUMS. release.sh gather FOLDER only collects, from FOLDER
# into FOLDER/release. With RELEASE_URL, the address of those files, also writes lancam.json for `rpi-imager --repo`.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
machine=$(uname -m)
architecture=$(dpkg --print-architecture)

build() {
    local viewer
    cross/deb/camera.sh arm64 armhf amd64
    viewer=$(cross/viewer.sh)
    cross/deb/build.sh lancam-view "$architecture" "$viewer"
    cp --preserve=timestamps "$viewer" "dist/lancam-view-$machine"
    cross/build.sh setup-aarch64
    # This takes minutes, so only if an input is newer.
    if [ ! -e dist/lancam.img.xz ] || [ -n "$(find dist/lancam-{,setup-}aarch64 cross/image systemd -newer dist/lancam.img.xz -print -quit)" ]; then
        cross/image/build.sh dist/lancam-aarch64 dist/lancam-setup-aarch64
    fi
}

# Source and target.
files=(
    lancam.img.xz "lancam-$version.img.xz"
    lancam.img.txt "lancam-$version.img.txt"
    "lancam_${version}_arm64.deb" "lancam_${version}_arm64.deb"
    "lancam_${version}_armhf.deb" "lancam_${version}_armhf.deb"
    "lancam_${version}_amd64.deb" "lancam_${version}_amd64.deb"
    "lancam-view_${version}_$architecture.deb" "lancam-view_${version}_$architecture.deb"
    lancam-aarch64 "lancam-$version-aarch64"
    lancam-armv7 "lancam-$version-armv7"
    lancam-armv6 "lancam-$version-armv6"
    lancam-x86_64 "lancam-$version-x86_64"
    "lancam-view-$machine" "lancam-view-$version-$machine"
)

gather() {
    local from=$1 to=$1/release at missing=()
    for ((at = 0; at < ${#files[@]}; at += 2)); do
        [ -s "$from/${files[at]}" ] || missing+=("$from/${files[at]}")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        printf 'release: missing: %s\n' "${missing[@]}" >&2
        exit 1
    fi
    # Remove the files of an older release.
    rm -rf "$to"
    mkdir "$to"
    for ((at = 0; at < ${#files[@]}; at += 2)); do
        cp --preserve=mode,timestamps "$from/${files[at]}" "$to/${files[at + 1]}"
    done
    if [ -n "${RELEASE_URL:-}" ]; then
        cp cross/desktop/lancam-view-128.png "$to/lancam.png"
        cross/imager.py "$to" "lancam-$version.img.xz" "$RELEASE_URL" >"$to/lancam.json" || { rm -rf "$to" && exit 1; }
    else
        echo "release: no lancam.json for Raspberry Pi Imager: RELEASE_URL=https://..., where these files will lie, would make it" >&2
    fi
    (cd "$to" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS && cat SHA256SUMS)
}

case ${1:-} in
'') build && gather dist ;;
gather) gather "${2:?which folder?}" ;;
*) echo "usage: release.sh [gather FOLDER]" >&2 && exit 2 ;;
esac
