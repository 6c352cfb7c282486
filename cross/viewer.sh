#!/usr/bin/env bash
# viewer.sh: builds lancam-view for this machine in release mode, and prints its path. Under sudo, builds as the calling
# user: root has no Rust, and other users could not overwrite files that root has built.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "$(id -u)" = 0 ] && [ "${SUDO_USER:-root}" != root ]; then
    exec sudo --user "$SUDO_USER" --set-home "CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-}" "YES=${YES:-}" cross/viewer.sh
fi
[ -n "${CARGO_TARGET_DIR:-}" ] || unset CARGO_TARGET_DIR
. cross/toolchain.sh

get_c
get_rust
target=$(rustc -vV | sed -n 's/^host: //p')
# Only for this target, in a folder of its own.
mapfile -t rust_flags < <(remapped_paths)
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${rust_flags[*]}") \
    cargo build --locked --release --target "$target" --no-default-features --features viewer --bin lancam-view >&2
echo "$CARGO_TARGET_DIR/$target/release/lancam-view"
