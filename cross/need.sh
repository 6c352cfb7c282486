#!/usr/bin/env bash
# need.sh [COMMAND:]PACKAGE[,PACKAGE...]...: installs, with Debian's apt-get, the packages whose command is missing.
# Says first what it installs; does nothing where everything is there. A PACKAGE without a command is asked for by name.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" # some commands asked for live there

missing=()
for need in "$@"; do
    packages=${need#*:}
    if [ "$packages" != "$need" ]; then
        command -v "${need%%:*}" >/dev/null && continue
    elif [ "$(dpkg-query -W -f '${db:Status-Status}' "$packages" 2>/dev/null)" = installed ]; then
        continue
    fi
    IFS=, read -ra names <<<"$packages"
    missing+=("${names[@]}")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Please install what these Debian packages hold, then try again: ${missing[*]}" >&2
    exit 1
fi
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)

echo "Installing with ${as_root[*]} apt-get: ${missing[*]}" >&2
# One index that cannot be had (a mirror being renewed) does not matter when the packages can.
"${apt[@]}" update >&2 || echo "apt-get update failed; going on with the package lists that are here" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2
