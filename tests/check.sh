#!/usr/bin/env bash
# check.sh: checks the code without running it. Names and counts what this machine cannot check.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

CARGO_DENY=0.20.2

skipped=0
skip() {
    echo "skipped: $1: $2" >&2
    skipped=$((skipped + 1))
}
step() {
    echo "== $*" >&2
    "$@"
}
# has_component NAME: whether cargo's command NAME is there, or could be installed by rustup.
has_component() {
    cargo "$1" --version >/dev/null 2>&1 || rustup component add "$2" >&2 || { skip "$2" "rustup does not bring it" && false; }
}

get_c
get_rust

if has_component fmt rustfmt; then step cargo fmt --check; fi
if has_component clippy clippy; then
    step cargo clippy --locked --all-targets -- --deny warnings
    step cargo clippy --locked --lib --bins --no-default-features --features camera -- --deny warnings
    step cargo clippy --locked --lib --bins --no-default-features --features viewer -- --deny warnings
    step cargo clippy --locked --lib --bins --no-default-features --features setup -- --deny warnings
fi
others=$(step tests/check-others.sh | tee /dev/stderr)
skipped=$((skipped + $(grep --count '^skipped: ' <<<"$others" || true)))
RUSTDOCFLAGS='--deny warnings' step cargo doc --locked --no-deps

cross/need.sh shellcheck:shellcheck
mapfile -t scripts < <(grep --recursive --files-with-matches --extended-regexp '^#!/(bin/sh|usr/bin/env bash)$|^# shellcheck ' .ci cross fuzz/*.sh tests)
step shellcheck --external-sources "${scripts[@]}"
step shellcheck --shell=dash cross/rig/init cross/rig/plug

# In `target`, and not optimised, because it takes minutes to build and seconds to run.
deny=$cache/tools/bin/cargo-deny
if [[ $("$deny" --version 2>/dev/null) != *" $CARGO_DENY" ]]; then
    echo "Building cargo-deny $CARGO_DENY, once: some minutes" >&2
    CARGO_TARGET_DIR=$cache/tools-build cargo install --debug --locked --root "$cache/tools" "cargo-deny@$CARGO_DENY"
    rm -rf "$cache/tools-build"
fi
step "$deny" check licenses bans sources
if "$deny" fetch db >/dev/null 2>&1; then
    step "$deny" check --disable-fetch advisories
else
    skip advisories "their database cannot be had from here"
fi
echo "check: all good, $skipped skipped"
