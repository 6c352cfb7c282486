#!/usr/bin/env bash
# need.sh [COMMAND:]PACKAGE[,PACKAGE...]...: installs, with Debian's apt-get, the packages whose command is missing.
# Says first what it installs; does nothing where everything is there. Without a COMMAND, the first PACKAGE itself is looked for.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" # some commands asked for live there

missing=()
for need in "$@"; do
    packages=${need#*:}
    if [ "$packages" != "$need" ]; then
        command -v "${need%%:*}" >/dev/null && continue
    elif [ "$(dpkg-query -W -f '${db:Status-Status}' "${packages%%,*}" 2>/dev/null)" = installed ]; then
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
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "Please have root run this, then try again: apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    apt=(sudo "${apt[@]}")
fi

echo "Installing with apt-get: ${missing[*]}" >&2
# One index that cannot be had (a mirror being renewed) does not matter when the packages can.
"${apt[@]}" update >/dev/null || echo "apt-get update failed; going on with the package lists that are here" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
