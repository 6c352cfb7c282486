#!/usr/bin/env bash
# need.sh [COMMAND:]PACKAGE[,PACKAGE...]...: installs the Debian packages whose COMMAND is missing, with apt-get. Does
# nothing if all are there. As root, it prints what it installs. Other users are asked before it uses sudo, or set YES=1.
# Without a terminal, it prints the line to type and exits with 1. Without a COMMAND, it tests for the first PACKAGE itself.
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
line="apt-get install --no-install-recommends ${missing[*]}"

refuse() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Whether sudo may install them: YES=1, or the user at the terminal says so.
may_use_sudo() {
    local answer
    if [ "${YES:-}" = 1 ]; then return; fi
    [ -t 0 ] && [ -t 2 ] || return
    printf 'These Debian packages are missing: %s\nInstall them now, with sudo? [Y/n] ' "${missing[*]}" >&2
    read -r answer || answer=no
    case ${answer,,} in '' | y | yes) ;; *) return 1 ;; esac
}

command -v apt-get >/dev/null || refuse "Please install what these Debian packages hold, then try again: ${missing[*]}"
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || refuse "Please have root run this, then try again:" "    $line"
    may_use_sudo || refuse "Please run this, then try again (or YES=1 make ...: make does it):" "    sudo $line"
    apt=(sudo "${apt[@]}")
fi

echo "Installing with apt-get: ${missing[*]}" >&2
# An index that cannot be fetched (a mirror being updated) does not matter if the packages can.
"${apt[@]}" update >/dev/null || echo "apt-get update failed; going on with the package lists that are here" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null || refuse "apt-get could not install them: see above"
