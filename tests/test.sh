#!/usr/bin/env bash
# test.sh [ARGUMENT...]: installs what the tests use, builds the Pi's program for those that run it, and runs `cargo test --
# ARGUMENT...`. At the end, lists the tests that this machine cannot run, and prints one line of sums.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

# If a package cannot be installed, the tests that use it say so and are skipped.
tests/packages.sh || echo "Going on without" >&2
case " $* " in
*" --include-ignored "*)
    tests/packages.sh long || echo "Going on without" >&2
    # These are not tests but write files here: `make screenshots`, and seeds for fuzzers. `make soak` takes hours.
    set -- "$@" --skip desktop::pictures:: --skip write_the_seeds --skip usb_soak::
    ;;
esac
get_c
get_rust

skips=$CARGO_TARGET_DIR/skipped-tests # written by tests/it/tools/skip.rs
log=$CARGO_TARGET_DIR/test.log
: >"$skips"

# image: builds the card's image in dist/, unless it is there already from the same inputs.
image() {
    local inputs stamp=$CARGO_TARGET_DIR/image-inputs
    inputs=$(find cross/image systemd dist/lancam-{,setup-}aarch64 -type f -print0 | sort -z | xargs -0 sha256sum)
    if [ -f "$stamp.made" ] && (cd dist && sha256sum --quiet --check - <"$stamp.made" >/dev/null 2>&1) && [ "$inputs" = "$(cat "$stamp")" ]; then return; fi
    cross/image/build.sh dist/lancam-aarch64 dist/lancam-setup-aarch64
    (cd dist && sha256sum lancam.img) >"$stamp.made"
    echo "$inputs" >"$stamp"
}

# for_pis NAME...: builds the Pi's programs, and the card's image with them. If its packages cannot be fetched there is no
# image, and the tests that boot it are skipped.
for_pis() {
    cross/build.sh "$@"
    if cross/image/fetch.sh >/dev/null; then image; else rm -f dist/lancam.img; fi
}

what=()
if [ "$(uname -s)" = Linux ]; then
    pis=(aarch64 setup-aarch64)
    export LANCAM_PI_BINARY=$PWD/dist/lancam-aarch64
    case " $* " in
    *" --include-ignored "*)
        pis+=(armv7 armv6 x86_64)
        export LANCAM_PC_BINARY=$PWD/dist/lancam-x86_64
        ;;
    esac
    # In parallel with the tests' own build, because the last minutes of each leave cores idle.
    made=$CARGO_TARGET_DIR/for-pis.log
    set -m # a process group of its own, which ends with this script
    for_pis "${pis[@]}" >"$made" 2>&1 &
    making=$!
    set +m
    trap 'kill -- "-$making" 2>/dev/null || true' EXIT
    status=0
    cargo test --locked --no-run || status=$?
    wait "$making" || { status=$? && cat "$made" >&2; }
    trap - EXIT
    [ "$status" = 0 ] || exit "$status"
    grep '^dist/' "$made" || true
else
    echo "skipped: tests/it: camera: it needs Linux" | tee "$skips"
    what=(--lib --no-default-features --features viewer)
fi
# A shell that starts this in the background, or nohup, ignores signals, and the tests' programs would inherit that.
heard=()
if [ "$(uname -s)" = Linux ]; then heard=(env "--default-signal=HUP,INT,QUIT"); fi
status=0
LANCAM_SKIPS=$skips "${heard[@]}" cargo test --locked --no-fail-fast "${what[@]}" -- "$@" 2>&1 | tee "$log" || status=$?

sort -u -o "$skips" "$skips"
if [ -s "$skips" ]; then
    echo "This machine cannot run:"
    cat "$skips"
fi
# For cargo, a skipped test has passed.
skipped=$(cut -d ' ' -f 2 "$skips" | sort -u | wc -l)
summary=$CARGO_TARGET_DIR/test-summary
awk -v skipped="$skipped" '
    /^test result: / { passed += $4; failed += $6; ignored += $8 }
    END {
        if (ignored) printf "Left to make test-all: %d\n", ignored
        printf "%d passed, %d failed, %d skipped\n", passed - skipped, failed, skipped
    }
' "$log" | tee "$summary"
exit "$status"
