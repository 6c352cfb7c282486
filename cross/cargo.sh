#!/usr/bin/env bash
# cargo.sh ARGUMENT...: cargo, where what a build of lancam needs may still be missing.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/toolchain.sh

get_c
get_rust
exec cargo "$@"
