#!/usr/bin/env bash
# check-others.sh: checks that the viewer compiles for systems on which it is not tested: lints, no linking, and no C code
# (libjpeg-turbo, ring, minifb's Cocoa part). A system whose standard library is not available is skipped by name.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

get_c
get_rust

lint=(check)
if cargo clippy --version >/dev/null 2>&1; then lint=(clippy); fi
nothing=$cache/nothing
mkdir -p "$nothing"
# Pretend that libjpeg-turbo is installed, in an empty folder.
export TURBOJPEG_SOURCE=explicit TURBOJPEG_LIB_DIR=$nothing TURBOJPEG_INCLUDE_DIR=$nothing
export CC_aarch64_apple_darwin=$PWD/cross/no-cc.sh AR_aarch64_apple_darwin=true
export CC_x86_64_pc_windows_gnu=$PWD/cross/no-cc.sh AR_x86_64_pc_windows_gnu=true

for target in x86_64-pc-windows-gnu aarch64-apple-darwin; do
    # Building the library from source would take minutes and show nothing more.
    if ! has_library "$target"; then
        echo "skipped: check-others: $target: its standard library cannot be had"
        continue
    fi
    RUSTFLAGS='--deny warnings' cargo "${lint[@]}" --quiet --locked --target "$target" --lib --bin lancam-view --no-default-features --features viewer
    echo "check-others: the viewer compiles for $target"
done
