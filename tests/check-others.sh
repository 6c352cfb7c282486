#!/usr/bin/env bash
# check-others.sh: that the viewer compiles for the systems it is not tested on, as far as that needs nothing of theirs: lints,
# no linking, and C code left out (libjpeg-turbo, minifb's Cocoa part). A system whose standard library cannot be had is skipped by name.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

get_c
get_rust

lint=(check)
if cargo clippy --version >/dev/null 2>&1; then lint=(clippy); fi
nothing=$cache/nothing
mkdir -p "$nothing"
# libjpeg-turbo is said to be there, in an empty folder.
export TURBOJPEG_SOURCE=explicit TURBOJPEG_LIB_DIR=$nothing TURBOJPEG_INCLUDE_DIR=$nothing
export CC_aarch64_apple_darwin=$PWD/cross/no-cc.sh AR_aarch64_apple_darwin=true

for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do
    # Built from source it would say no more, and take minutes.
    if ! has_library "$target"; then
        echo "skipped: check-others: $target: its standard library cannot be had"
        continue
    fi
    RUSTFLAGS='--deny warnings' cargo "${lint[@]}" --quiet --locked --target "$target" --lib --bin lancam-view --no-default-features --features viewer
    echo "check-others: the viewer compiles for $target"
done
