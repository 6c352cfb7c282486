#!/usr/bin/env bash
# build.sh NAME...: builds dist/lancam-NAME, one static file that needs no C library. NAME is aarch64, armv7, armv6 or
# x86_64. With setup- before it: builds dist/lancam-setup-NAME, the setup program of the SD card's image.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

build() {
    local name=$1 cpu=${1#setup-} program=lancam features=camera target library cargo_flags=() rust_flags
    [ "$cpu" = "$name" ] || program=lancam-setup features=setup
    case $cpu in
    aarch64) target=aarch64-unknown-linux-musl ;;               # Pi 3, 4, 5, Zero 2 with a 64-bit system
    armv7) target=armv7-unknown-linux-musleabihf ;;             # Pi 2, 3, 4, Zero 2 with a 32-bit system
    armv6) target=arm-unknown-linux-musleabihf ;;               # Pi 1, Zero
    x86_64) target=x86_64-unknown-linux-musl && cross/need.sh nasm:nasm ;;
    *) echo "usage: build.sh [setup-]aarch64|armv7|armv6|x86_64 ..." >&2 && exit 2 ;;
    esac
    # Every Pi with ARMv7 has NEON; other boards without it can run the ARMv6 program. The option has zig's spelling, because
    # zig ignores the -mfpu=neon that libjpeg-turbo uses to test for NEON, and libjpeg-turbo would then leave out its NEON
    # code.
    local c_flags=()
    [ "$cpu" != armv7 ] || c_flags+=(-mcpu=generic+v7a+vfp3+thumb2+neon)
    # A panic ends the program, and a stripped one has no names for a backtrace: nothing reads tables for unwinding.
    c_flags+=(-fno-unwind-tables -fno-asynchronous-unwind-tables)
    export "CFLAGS_${target//-/_}=${c_flags[*]}"

    # zig provides crt1.o and libc, so rustc must not add its own.
    mapfile -t rust_flags < <(remapped_paths)
    rust_flags+=(-Clink-self-contained=no)
    rust_flags+=(-Cforce-unwind-tables=no "-Clink-arg=-Wl,-T,cross/no-unwind-tables.ld")
    # Thumb code is a quarter smaller, and Debian builds all armhf programs with it. ARMv6 only has the first version of
    # Thumb, which is slow.
    [ "$cpu" != armv7 ] || rust_flags+=(-Ctarget-feature=+thumb-mode)
    library=$(standard_library "$target")
    if [ "$library" = source ]; then
        echo "lancam-$name: building Rust's standard library too: some minutes more, the first time" >&2
        export RUSTC_BOOTSTRAP=1 # std is built with the compiler's unstable features
        cargo_flags=(-Z 'build-std=std,panic_abort')
    fi
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${rust_flags[*]}") \
        cargo zigbuild --release --locked --target "$target" \
        --no-default-features --features "$features" --bin "$program" "${cargo_flags[@]}"
    unset RUSTC_BOOTSTRAP

    mkdir -p dist
    # An unchanged program keeps its time, by which other scripts see whether they are up to date.
    local built=$CARGO_TARGET_DIR/$target/release/$program
    cmp --quiet "$built" "dist/lancam-$name" || cp "$built" "dist/lancam-$name"
    cross/check-binary.sh "$name"
}

cross/need.sh cc:gcc,libc6-dev cmake:cmake make:make python3:python3 readelf:binutils
get_rust
get_zig
for name in "$@"; do build "$name"; done
