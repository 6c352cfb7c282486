#!/usr/bin/env bash
# run.sh: builds both programs and runs them together on this machine: the camera, or a test pattern if there is none, in a
# window. Without a display: 10 s without a window, then the figures and a PNG. Exits with the viewer's status. Nobody else
# can connect.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

get_c
get_rust
# Not --release: its link-time optimisation takes longer than everything else, and the picture looks the same. This profile
# also optimises all hot code (Cargo.toml).
cargo build --locked --bins
programs=$CARGO_TARGET_DIR/debug

source="test"
[[ $("$programs/lancam" list --json) != *'"understood":true'* ]] || source="auto"

# `exec`, so that this is the process id of lancam itself.
exec 3< <(exec "$programs/lancam" --source "$source" --listen 127.0.0.1:0)
camera=$!
trap 'kill "$camera" 2>/dev/null && wait "$camera" || true' EXIT

address=
while [ -z "$address" ] && IFS= read -r line <&3; do
    echo "$line"
    [[ $line != "LISTENING AT: tcp://"* ]] || address=${line#*tcp://}
done
[ -n "$address" ] || { echo "run.sh: lancam ended before it listened" >&2 && exit 1; }
cat <&3 & # what else it says

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    ldconfig=$(PATH=$PATH:/sbin:/usr/sbin command -v ldconfig || echo true)
    [[ -z ${DISPLAY:-} || $("$ldconfig" -p) == *libXcursor.so.1* ]] || cross/need.sh libx11-6 libxcursor1
    status=0
    "$programs/lancam-view" "$address" || status=$?
else
    picture=$CARGO_TARGET_DIR/run.png
    rm -f "$picture"
    echo "No display here: watching for 10 s without a window"
    status=0
    "$programs/lancam-view" --headless --seconds 10 --save "$picture" --json "$address" || status=$?
    [ ! -e "$picture" ] || echo "The last picture: $picture"
fi
exit "$status"
