#!/usr/bin/env bash
# camera.sh ARCHITECTURE...: builds the static programs for arm64, armhf or amd64, and then the package lancam with them. For
# armhf there are two programs: Raspberry Pi OS also calls the CPUs of Pi 1 and Zero (ARMv6) armhf. Debian does not.
set -euo pipefail
cd "$(dirname "$0")/../.."

for architecture in "$@"; do
    case $architecture in
    arm64) names=(aarch64) ;;
    armhf) names=(armv7 armv6) ;;
    amd64) names=(x86_64) ;;
    *) echo "camera.sh: no package for $architecture; there are: arm64 armhf amd64" >&2 && exit 2 ;;
    esac
    cross/build.sh "${names[@]}"
    cross/deb/build.sh lancam "$architecture" "${names[@]/#/dist/lancam-}"
done
