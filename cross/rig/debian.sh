#!/usr/bin/env bash
# Boots a Debian with its own systemd in a container, for tests of packages. Needs root, on Linux with cgroup v2 and
# overlayfs.
#
#   debian.sh SUITE            makes its files (bookworm, trixie) and prints the folder that holds them
#   debian.sh SUITE NAME       boots it, prints the process id of its systemd, and goes on until that ends or this is ended (SIGTERM)
#
# `nsenter --target PID --all COMMAND` runs COMMAND in it. `ip netns exec NAME COMMAND` runs a program of this machine on its
# network, which is separate from all others. Its sshd accepts FOLDER/key for root and for pi, who may use sudo. Everything
# written is discarded: each boot is a first one. systemd, users, mounts, network and system call filters are real. Kernel
# and devices are this machine's: no udev, no cameras. If something is not available, exits with code 77 (skip) and prints
# the reason last on stderr. LANCAM_RIG_CACHE names the cache folder (default: target/rig). Delete FOLDER to make it anew
# with today's packages.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
suite=${1:?which Debian?}
mkdir -p "${LANCAM_RIG_CACHE:=$here/../../target/rig}"
cache=$(cd "$LANCAM_RIG_CACHE" && pwd)
folder=$cache/debian-$suite
PATH=$PATH:/usr/sbin:/sbin

skip() { echo "$*" >&2; exit 77; }

make_root() {
    local root=$work/root
    # No documents.
    mmdebstrap --mode=root --variant=minbase --include=systemd-sysv,udev,dbus,openssh-server,sudo,iproute2,procps \
        --aptopt='Apt::Install-Recommends "false"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' "$suite" "$root" >&2

    ssh-keygen -q -t ed25519 -N '' -C lancam-tests -f "$work/key"
    chroot "$root" useradd --create-home --shell /bin/bash --groups sudo,video pi
    for home in root home/pi; do
        install -d -m 700 "$root/$home/.ssh"
        install -m 600 "$work/key.pub" "$root/$home/.ssh/authorized_keys"
    done
    chroot "$root" chown -R pi:pi /home/pi/.ssh
    echo 'pi ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/pi"
    echo lancam-debian >"$root/etc/hostname"
    echo '127.0.1.1 lancam-debian' >>"$root/etc/hosts"
    chroot "$root" systemctl --quiet enable ssh
    # Units that would change this machine, and units that nothing needs.
    chroot "$root" systemctl --quiet mask systemd-sysctl systemd-modules-load systemd-udevd systemd-udev-trigger systemd-networkd-wait-online \
        console-getty getty@tty1 apt-daily.timer apt-daily-upgrade.timer
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
}

# In its own namespaces: becomes the container's first process.
if [ "${LANCAM_RIG_INSIDE:-}" = "$suite" ]; then
    root=$2
    mount --make-rprivate /
    mount -t tmpfs none "$root"
    mkdir "$root"/{upper,work,all}
    mount -t overlay -o "lowerdir=$folder/root,upperdir=$root/upper,workdir=$root/work" none "$root/all"
    cd "$root/all"
    mount -t proc none proc
    # The container must not change the machine's kernel settings, except those of its own network.
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro none sys
    mount -t cgroup2 none sys/fs/cgroup
    mount -t tmpfs -o mode=755 none dev
    mkdir dev/{pts,shm}
    for device in null zero full random urandom tty; do
        : >"dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 none dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    mount -t tmpfs none dev/shm
    mount -t tmpfs -o mode=755 none run
    pivot_root . mnt
    umount --lazy mnt
    exec setpriv --bounding-set=-sys_module,-sys_time,-sys_rawio,-syslog,-sys_boot --inh-caps=-all \
        env -i container=lancam PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init </dev/null >/dev/null 2>&1
fi

[ "$(id -u)" = 0 ] || skip "root's rights are needed for a Debian container"
grep -q overlay /proc/filesystems || skip "this kernel has no overlayfs"
exec 9>"$cache/debian-lock"
flock 9
"$here/../need.sh" mmdebstrap:mmdebstrap ip:iproute2 ssh:openssh-client setpriv:util-linux >&2 || skip "cannot install mmdebstrap"
if [ ! -e "$folder/key" ]; then
    rm -rf "$folder"
    work=$(mktemp -d "$cache/debian.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    make_root || skip "cannot make a Debian $suite: no mirror?"
    trap - EXIT
    mv "$work" "$folder"
fi
exec 9>&-
if [ $# -lt 2 ]; then echo "$folder" && exit; fi

name=$2
groups=$(findmnt --noheadings --first-only --output TARGET --types cgroup2) || skip "this machine has no cgroup v2"
group=$groups/$name
work=$(mktemp -d)
clean_up() {
    trap '' TERM INT HUP # whoever is told to end twice cleans up all the same
    if [ -n "${unshare:-}" ]; then
        kill -KILL "$unshare" 2>/dev/null || true
        wait "$unshare" 2>/dev/null || true
    fi
    for _ in $(seq 50); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -e "$group" ] || break
        read -r -t 0.1 <> <(:) || true
    done
    ip netns delete "$name" || true
    rmdir "$work"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP
mkdir "$group"
# A separate network with one card. Both ends of its cable are in it.
ip netns add "$name"
on_network() { ip -n "$name" "$@"; }
on_network link set lo up
on_network link add lan0 type veth peer name end0
on_network address add 10.99.0.2/24 dev lan0
on_network link set end0 up
on_network link set lan0 up

# Processes started from this group stay in it.
# shellcheck disable=SC2016 # for that shell
LANCAM_RIG_INSIDE=$suite nsenter --net="/run/netns/$name" \
    sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" \
    unshare --mount --pid --ipc --uts --cgroup --fork --kill-child "$0" "$suite" "$work" </dev/null 9>&- &
unshare=$!
until first=$(pgrep --parent "$unshare"); do kill -0 "$unshare"; done
echo "$first"
wait "$unshare"
