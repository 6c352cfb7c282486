#!/usr/bin/env bash
# deploy.sh USER@HOST: installs and starts lancam on a Pi with Raspberry Pi OS, or on another Debian, over one ssh
# connection, and prints its code and the line to type. Builds the package for that machine if needed. Run it again to upgrade; an edited lancam.toml stays. LANCAM_DEB
# names a package that is built already. LANCAM_SSH is ssh with more options ("ssh -p 2222").
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { printf 'deploy: %s\n' "$*" >&2; exit 1; }

pi=${1:-}
[[ -n $pi && $pi != -* ]] || fail "which Pi? Type: make deploy PI=pi@raspberrypi.local, with its user and its name or address"
read -ra ssh <<<"${LANCAM_SSH:-ssh}"
command -v "${ssh[0]}" >/dev/null || fail "${ssh[0]} is not installed here. Type: sudo apt install openssh-client"

# One connection for everything, so that a password is asked for only once.
control=$(mktemp -d)
trap '"${ssh[@]}" -o ControlPath="$control/master" -O exit "$pi" 2>/dev/null || true; rm -rf "$control"' EXIT
"${ssh[@]}" -M -S "$control/master" -o ControlPersist=yes -o ConnectTimeout=10 -fN "$pi" ||
    fail "no ssh connection to $pi. Is it switched on? Is this its user, and its name or address? Is ssh enabled there (sudo raspi-config)? First \`ssh $pi\` must work"
on_pi() { "${ssh[@]}" -S "$control/master" "$pi" "$@"; }
# With a terminal if there is one, because sudo may ask for a password.
asking() { if [ -t 0 ]; then on_pi -t "$1"; else on_pi "$1" </dev/null; fi; }

# A 64-bit kernel may run a 32-bit system, so ask the system, not the kernel.
{ read -r machine && read -r architecture && read -r user && read -r sudo && read -r systemd && read -r board; } < <(on_pi '
    uname -m
    dpkg --print-architecture 2>/dev/null || echo none
    id -u
    if command -v sudo >/dev/null; then if sudo -n true 2>/dev/null; then echo yes; else echo asks; fi; else echo none; fi
    if [ -d /run/systemd/system ]; then echo yes; else echo none; fi
    { tr -d "\0" </proc/device-tree/model 2>/dev/null || true; } | head -n 1
    echo
' </dev/null) || fail "$pi did not say what machine it is. \`ssh $pi uname -m\` must print that and nothing else"
echo "$pi: ${board:-a $machine machine}, $architecture" >&2

case $machine in
aarch64) program=lancam-aarch64 ;;
armv7*) program=lancam-armv7 ;;
armv6*) program=lancam-armv6 ;;
x86_64) program=lancam-x86_64 ;;
*) fail "lancam has no program for $machine" ;;
esac
[ "$architecture" != none ] || fail "$pi has no Debian (no dpkg), so no package can be installed. Build dist/$program with make pi, and copy it by hand"
case $architecture in
arm64 | armhf | amd64) ;;
*) fail "there is no package for $architecture, only for arm64, armhf and amd64" ;;
esac
[ "$systemd" = yes ] || fail "$pi has no systemd to run lancam. Build dist/$program with make pi, and copy it by hand"
root='sudo '
[ "$user" != 0 ] || root=
[ -z "$root" ] || [ "$sudo" != none ] || fail "$pi has no sudo. Use PI=root@..., if root may log in there"
[ -z "$root" ] || [ "$sudo" = yes ] || [ -t 0 ] || fail "sudo asks for a password on $pi, and there is no terminal to type it"

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
deb=${LANCAM_DEB:-}
if [ -z "$deb" ]; then
    cross/deb/camera.sh "$architecture" >&2
    deb=dist/lancam_${version}_$architecture.deb
fi
[ -e "$deb" ] || fail "there is no file $deb"

echo "Installing $(basename "$deb")" >&2
folder=$(on_pi 'mktemp -d' </dev/null) || fail "cannot make a temporary folder on $pi. Is its card full?"
on_pi "cat >'$folder/lancam.deb'" <"$deb" || fail "cannot copy $deb to $pi. Is its card full?"
# The owner's lancam.toml stays, even if ours is newer. `lancam pair` shows the code and what to type, unless everybody may
# watch. One call of sudo, so that it asks for a password only once.
# shellcheck disable=SC2016 # the Pi's shell expands these
install='dpkg --install --force-confdef --force-confold "$0" || exit
    for try in 1 2 3 4 5; do systemctl --quiet is-active lancam.service && break; sleep 1; done
    grep -qs "^[[:space:]]*access[[:space:]]*=[[:space:]]*.open" /etc/lancam/lancam.toml ||
        ! systemctl --quiet is-active lancam.service || { echo; lancam pair; echo; }'
asking "${root}sh -c '$install' '$folder/lancam.deb'" >&2 || fail "the package was not installed on $pi (see above)"
on_pi "rm -r '$folder'" </dev/null

if ! on_pi 'for try in 1 2 3 4 5 6 7 8 9 10; do systemctl --quiet is-active lancam.service && exit; sleep 1; done; exit 1' </dev/null; then
    on_pi 'systemctl --no-pager --full status lancam.service' </dev/null >&2 || true
    fail "lancam is installed, but it does not run (see above)"
fi
{ read -r name && read -r scheme && read -r addresses; } < <(on_pi '
    hostname
    if grep -qs "^[[:space:]]*access[[:space:]]*=[[:space:]]*.open" /etc/lancam/lancam.toml; then echo http; else echo https; fi
    hostname -I 2>/dev/null
    echo' </dev/null)
echo "lancam runs on $name. In any browser: $scheme://$name.local:8080/ or $scheme://${addresses%% *}:8080/"
echo "In a window: lancam-view $name.local"
[ "$scheme" = http ] || echo "Both ask for the code above, once. \`sudo lancam pair\` there shows it again"
