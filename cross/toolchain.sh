# shellcheck shell=bash
# Sourced by the scripts that build. Finds or gets a C compiler, Rust, its standard library for a target, and zig, which is
# the C compiler, linker and C library (musl) for every target. Downloads other than by apt and rustup are stored in the
# target folder.

mkdir -p "${CARGO_TARGET_DIR:=target}"
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
export CARGO_TARGET_DIR
cache=$CARGO_TARGET_DIR/cross

# Uses the user's own Rust. If there is none, or it is too old, installs Debian's rustc-web, which is newer than its rustc.
get_rust() {
    local wanted
    wanted=$(sed -n 's/^rust-version = "1\.\([0-9]*\)".*/\1/p' Cargo.toml)
    cargo_home=${CARGO_HOME:-~/.cargo}
    PATH="$cargo_home/bin:$PATH"
    if [[ ! $(rustc --version 2>/dev/null) =~ \ 1\.([0-9]+) ]] || [ "${BASH_REMATCH[1]}" -lt "$wanted" ]; then
        cross/need.sh cargo-web rustc-web
    fi
}

# Installs what the C parts of a build for this machine need: libjpeg-turbo, minifb.
get_c() {
    cross/need.sh cc:gcc,libc6-dev cmake:cmake make:make
    [ "$(uname -m)" != x86_64 ] || cross/need.sh nasm:nasm
}

# Prints one option per line that keeps this machine's paths out of a program, so that the same commit makes the same program
# wherever it, cargo's folder and Rust are. If the sources of Rust's library are installed, rustc uses their real path;
# otherwise it uses the one written here. The last prefix that matches counts, so inner folders come later.
remapped_paths() {
    local commit
    commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
    printf -- '--remap-path-prefix=%s\n' "$(pwd -P)=/lancam" "$CARGO_TARGET_DIR=/target" "$(realpath --no-symlinks "$cargo_home")=/cargo" \
        "$(rustc --print sysroot)/lib/rustlib/src/rust=/rustc/$commit"
}

get_zig() {
    local venv=$cache/venv
    if ! cmp -s cross/requirements.txt "$venv/requirements.txt"; then
        python3 -c 'import ensurepip, venv' 2>/dev/null || cross/need.sh python3-venv
        echo "Getting $(paste -sd ' ' cross/requirements.txt)" >&2
        python3 -m venv --clear "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement cross/requirements.txt
        cp cross/requirements.txt "$venv/requirements.txt"
    fi
    PATH="$venv/bin:$PATH"
    # CMake does not take a compiler with a blank in its path.
    local wrappers=$cache/zigbuild
    if [[ $wrappers = *[[:space:]]* ]]; then wrappers=${XDG_CACHE_HOME:-$HOME/.cache}/lancam/zigbuild; fi
    if [[ $wrappers = *[[:space:]]* ]]; then
        echo "CMake cannot use a compiler below \"$wrappers\": its path has a blank. Move lancam's folder to a path without blanks." >&2
        return 1
    fi
    export ZIG_GLOBAL_CACHE_DIR=$cache/zig CARGO_ZIGBUILD_CACHE_DIR=$wrappers
}

# has_library TARGET: whether its standard library is here, or could be installed by rustup.
has_library() {
    is_here() { ls "$(rustc --print sysroot)/lib/rustlib/$1/lib/"libstd-*.rlib >/dev/null 2>&1; }
    is_here "$1" || { rustup target add "$1" >/dev/null 2>&1 && is_here "$1"; }
}

# standard_library TARGET: prints "ready", or "source" if it has to be built.
standard_library() {
    has_source() { [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; }

    if has_library "$1"; then
        echo ready
    else
        if ! has_source; then
            if command -v rustup >/dev/null; then rustup component add rust-src >&2
            else cross/need.sh rust-web-src,rustc-web,cargo-web; fi # all three, to be of one version
        fi
        echo source
    fi
}
