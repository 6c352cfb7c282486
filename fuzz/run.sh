#!/bin/sh
# Runs fuzz targets (default: all) for SECONDS each (default: 60) from the seeds in corpus/.
#     fuzz/run.sh [SECONDS [TARGET…]]
# An input that breaks a target is kept in artifacts/. Inputs that reach new code are kept in target/corpus/, where the next
# run continues.
set -eu
seconds=${1:-60}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")"

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "fuzz: installing cargo-fuzz" >&2
    cargo install cargo-fuzz --locked
fi
# The instrumentation is an unstable compiler feature: use nightly, or allow it for the installed compiler.
toolchain=
if cargo +nightly --version >/dev/null 2>&1; then
    toolchain=+nightly
else
    export RUSTC_BOOTSTRAP=1
fi
# Distributions' compilers often lack the address sanitizer's runtime.
sanitizer=none
for runtime in "$(rustc $toolchain --print sysroot)"/lib/rustlib/*/lib/librustc*_rt.asan.a; do
    [ -e "$runtime" ] && sanitizer=address
done

[ $# -gt 0 ] || set -- native_decoder pickle_reader jpeg_structure jpeg_repair jpeg_strips dns_answer mdns_responder http_requests http_credentials tls_greeting tls_records setup_files native_session pairing_session key_files http_session pickle_session first_bytes
for target; do
    seeds=corpus/$target
    case $target in
    pickle_reader) seeds="$seeds $(echo ../tests/data/pickle/*/)" ;;
    jpeg_strips) seeds="$seeds ../tests/data/restarts" ;;
    setup_files) seeds="$seeds ../tests/data/setup" ;;
    esac
    mkdir -p "target/corpus/$target"
    echo "fuzz: $target for $seconds s" >&2
    # shellcheck disable=SC2086 # The seeds are several folders.
    cargo $toolchain fuzz run --sanitizer "$sanitizer" "$target" "target/corpus/$target" $seeds -- \
        -max_total_time="$seconds" -max_len=8192 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1
done
