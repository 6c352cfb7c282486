#!/usr/bin/env bash
# check-binary.sh NAME...: checks that dist/lancam-NAME is static, stripped, small, built for its CPU, and has its SIMD code.
# The setup program (NAME is setup-CPU) must have no JPEG code.
set -euo pipefail
cd "$(dirname "$0")/.."

# Code for PCs is larger, and so is code for ARMv6, which has no Thumb-2.
MAX_BYTES=3200000
MAX_BYTES_ARMV6=3400000
MAX_BYTES_PC=4200000
MAX_BYTES_SETUP=1000000

check() {
    local name=$1 file=dist/lancam-$1 machine arch='' simd emulator bytes most=$MAX_BYTES
    case ${name#setup-} in
    aarch64) machine=AArch64 simd=JSIMD_FORCENEON emulator=(qemu-aarch64-static) ;;
    armv7) machine=ARM arch=v7 simd=JSIMD_FORCENEON emulator=(qemu-arm-static -cpu cortex-a7) ;;
    armv6) machine=ARM arch=v6 simd='' emulator=(qemu-arm-static -cpu arm1176) most=$MAX_BYTES_ARMV6 ;;
    x86_64) machine=X86-64 simd=JSIMD_FORCEAVX2 emulator=(env) most=$MAX_BYTES_PC ;;
    *) echo "usage: check-binary.sh [setup-]aarch64|armv7|armv6|x86_64 ..." >&2 && exit 2 ;;
    esac
    case $name in setup-*) simd='' most=$MAX_BYTES_SETUP ;; esac
    fail() { echo "$file: $*" >&2 && exit 1; }
    elf() { LC_ALL=C readelf --wide "$@" "$file"; }
    # Searches for the environment variables that libjpeg-turbo's SIMD dispatcher reads. They are in the file only if it is
    # linked in.
    holds() { grep --quiet --text --fixed-strings "$1" "$file"; }

    [[ $(elf --file-header) =~ Machine:.*$machine ]] || fail "is not for $machine"
    [[ ! $(elf --program-headers) =~ INTERP ]] || fail "wants a dynamic loader"
    [[ ! $(elf --dynamic) =~ NEEDED ]] || fail "wants shared libraries"
    [[ ! $(elf --section-headers) =~ \.(symtab|debug_) ]] || fail "is not stripped"
    [[ ! $(elf --section-headers) =~ \.(eh_frame|gcc_except_table) ]] || fail "has tables for unwinding"
    [[ -z $arch || $(elf --arch-specific) =~ Tag_CPU_arch:\ $arch$'\n' ]] || fail "is not for ARM$arch"
    if [ -n "$simd" ]; then
        holds "$simd" || fail "has no SIMD code in libjpeg-turbo"
    else
        ! holds JSIMD_FORCE || fail "has SIMD code that it has no use for"
    fi
    bytes=$(stat --format %s "$file")
    [ "$bytes" -le "$most" ] || fail "is $bytes bytes, more than $most"
    if command -v "${emulator[0]}" >/dev/null; then
        "${emulator[@]}" "$file" --version >/dev/null || fail "does not run with ${emulator[*]}"
    fi
    echo "$file: $bytes bytes, static, stripped, $machine $arch ${simd:+with SIMD}"
}

for name in "$@"; do check "$name"; done
