#!/usr/bin/env bash
# Runs a command on a bare Debian, as a container provides it, to test a newcomer's first steps. Needs root, on Linux.
#
#   bare.sh SUITE COMMAND...     runs COMMAND in a fresh clone of this commit on that Debian (bookworm, trixie); ends with its status
#
# The system contains Debian's smallest set of packages, git and make: no Rust, no cache, no display. It may not mount, load
# modules or make namespaces. Kernel and network are this machine's; with BARE_NETWORK=none there is no network. Registries
# are reached as on this machine. Everything written is discarded; BARE_KEEP=FOLDER keeps it there, and continues from there
# next time. If something is not available, exits with code 77 (skip) and prints the reason last on stderr. LANCAM_RIG_CACHE
# names the cache folder (default: target/rig).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=${1:?which Debian?}
mkdir -p "${LANCAM_RIG_CACHE:=$here/../../target/rig}"
cache=$(cd "$LANCAM_RIG_CACHE" && pwd)
base=$cache/bare-$suite
PATH=$PATH:/usr/sbin:/sbin

skip() { echo "$*" >&2; exit 77; }

# The capabilities that docker leaves to root.
ABILITIES=+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap
# Variables and files that say how to reach registries.
VARIABLES='^(CARGO_(HTTP|NET|REGISTRY|REGISTRIES|SOURCE)_.*|PIP_(INDEX_URL|EXTRA_INDEX_URL|CERT|PROXY|DEFAULT_TIMEOUT)|(https?|all|no|HTTPS?|ALL|NO)_(proxy|PROXY)|SSL_CERT_FILE|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|GIT_SSL_CAINFO)='
FILES=(/etc/hosts /etc/resolv.conf /etc/pip.conf /etc/ssl/certs/ca-certificates.crt)

make_base() {
    # Use this machine's proxies for mirrors there too.
    apt-config dump | grep -iE '^Acquire::(https?::)?(proxy|[^ ]*::proxy)' >"$work/apt" || true
    mmdebstrap --mode=root --variant=minbase --include=git,make,ca-certificates --aptopt="$work/apt" "$suite" "$work/tree" >&2
    rm -rf "$work"/tree/var/cache/apt/*
}

# go ROOT COMMAND...: runs COMMAND there; called in new namespaces.
go() {
    local root=$1 device
    shift
    if [ "${BARE_NETWORK:-}" = none ]; then ip link set lo up; fi
    mount --make-rprivate /
    cd "$root"
    mount -t proc none proc
    mount -t sysfs -o ro none sys
    mount -t tmpfs -o mode=755 none dev
    mkdir dev/{pts,shm}
    for device in null zero full random urandom tty; do
        : >"dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 none dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    mount -t tmpfs -o mode=1777 none dev/shm
    mapfile -t registries < <(env | grep -E "$VARIABLES")
    exec chroot . setpriv --bounding-set="-all,$ABILITIES" --inh-caps=-all env -i --chdir=/srv/lancam \
        HOME=/srv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${registries[@]}" "$@" </dev/null
}
if [ -n "${BARE_INSIDE:-}" ]; then go "$BARE_INSIDE" "${@:2}"; fi

[ "$(id -u)" = 0 ] || skip "root's rights are needed for a bare Debian"
exec 9>"$cache/bare-lock"
flock 9
"$here/../need.sh" mmdebstrap:mmdebstrap git:git unshare:util-linux ip:iproute2 >&2 || skip "cannot install mmdebstrap"
if [ ! -e "$base" ]; then
    work=$(mktemp -d "$cache/bare.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    make_base || skip "cannot make a Debian $suite: no mirror?"
    mv "$work/tree" "$base"
    rm -rf "$work"
    trap - EXIT
fi
exec 9>&-

root=${BARE_KEEP:-$(mktemp -d "$cache/bare.XXXXXX")}
[ -n "${BARE_KEEP:-}" ] || trap 'rm -rf "$root"' EXIT
if [ ! -e "$root/srv/lancam" ]; then
    mkdir -p "$root"
    cp -a "$base/." "$root/"
    for file in "${FILES[@]}"; do
        if [ -e "$file" ]; then cp --dereference "$file" "$root$file"; fi
    done
    if [ -e "${CARGO_HOME:-$HOME/.cargo}/config.toml" ]; then install -D "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$root/srv/.cargo/config.toml"; fi
    git clone --quiet --no-local "$here/../.." "$root/srv/lancam" || skip "this folder is not a git repository"
fi

# No descriptors but the standard three, and it ends with this script.
network=()
[ "${BARE_NETWORK:-}" != none ] || network=(--net)
BARE_INSIDE=$root unshare --mount --pid --ipc --uts "${network[@]}" --fork --kill-child "$0" "$suite" "${@:2}" &
inside=$!
trap 'kill -KILL "$inside" 2>/dev/null || true; wait "$inside" || true; [ -n "${BARE_KEEP:-}" ] || rm -rf "$root"' EXIT
trap 'exit 143' TERM INT HUP
status=0
wait "$inside" || status=$?
exit "$status"
