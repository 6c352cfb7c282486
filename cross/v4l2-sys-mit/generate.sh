#!/usr/bin/env bash
# Writes src/lp64.rs and src/ilp32.rs again, from the kernel headers in zig. Needs python3 with venv, cargo, and libclang
# (Debian: libclang1-14). No build of lancam runs this.
set -euo pipefail

ZIGLANG=0.17.1  # its lib/libc/include holds Linux 7.2's user-space headers and musl's
BINDGEN=0.72.1

here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$(mktemp -d)} # name a folder to keep and reuse the tools

[ -x "$work/bin/bindgen" ] || cargo install --locked --root "$work" --version "$BINDGEN" bindgen-cli
[ -x "$work/venv/bin/pip" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "ziglang==$ZIGLANG"
include=$("$work/venv/bin/python" -c 'import os, ziglang; print(os.path.dirname(ziglang.__file__))')/lib/libc/include

# generate FILE CLANG-TARGET ZIG-ARCH: takes only names of videodev2.h, v4l2-common.h and v4l2-controls.h, which are
# BSD-3-Clause, and C's struct timeval and timespec, which two of their structs contain.
generate() {
    "$work/bin/bindgen" "$here/wrapper.h" \
        --output "$here/src/$1" \
        --rust-target 1.85 --rust-edition 2021 \
        --allowlist-item '(v4l2_|V4L2_|VIDIOC_|VIDEO_MAX_).*' \
        --no-doc-comments --no-layout-tests --with-derive-default \
        --clang-macro-fallback --clang-macro-fallback-build-dir "$work" \
        --raw-line '// SPDX-License-Identifier: BSD-3-Clause' \
        --raw-line '// From linux/videodev2.h of Linux 7.2 by generate.sh: do not edit. See LICENSE.' \
        -- --target="$2" -nostdinc \
        -isystem "$include/$3-linux-musl" -isystem "$include/generic-musl" \
        -isystem "$include/$3-linux-any" -isystem "$include/any-linux-any"
}
generate lp64.rs aarch64-linux-musl aarch64
generate ilp32.rs armv7-linux-musleabihf arm
