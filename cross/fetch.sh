#!/usr/bin/env bash
# fetch.sh: downloads everything that `make run`, `make test` and `make image` download: Debian packages, crates, Rust's
# library for Pis, zig from PyPI, the packages of the image and of the emulated Pi. After that, they need no network.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

tests/packages.sh || echo "Going on without" >&2
# What build.sh, image/build.sh and their tests need.
cross/need.sh python3:python3 readelf:binutils mksquashfs:squashfs-tools mkfs.vfat:dosfstools zstd:zstd fdtput:device-tree-compiler strip:binutils
get_c
get_rust
get_zig

pi=aarch64-unknown-linux-musl
library=$(standard_library "$pi")
fetch=(cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')" --target "$pi" --target x86_64-unknown-linux-musl)
if [ "$library" = source ]; then
    # Rust's library has crates of its own.
    RUSTC_BOOTSTRAP=1 "${fetch[@]}" -Z 'build-std=std,panic_abort'
else
    "${fetch[@]}"
fi
cross/rig/fetch.sh
cross/image/fetch.sh
echo "Fetched: make run, make test and make image need no network now" >&2
