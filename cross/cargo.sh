#!/usr/bin/env bash
# cargo.sh ARGUMENT...: runs cargo, after installing what a build of lancam needs and may be missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

get_c
get_rust
exec cargo "$@"
